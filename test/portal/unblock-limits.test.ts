import tap, { type Test } from 'tap'
import type { Limits } from '../../src/config.ts'
import { PreauError } from '../../src/errors.ts'
import { PortalWorld } from './portal-world.ts'

const PAGE = 'http://jeux.example/partie?id=7'

tap.test('a PC that floods gets a polite 429, and its neighbours are served', async t => {
  const world = await PortalWorld.open(t, { limits: { unblockPerMinute: 3 } })
  const flood = await Promise.all(
    Array.from({ length: 8 }, (_, i) => world.click(`http://${i % 2 ? 'www.' : ''}jeux.example/`)),
  )
  t.equal(flood.filter(({ status }) => status === 429).length, 5)
  const refused = flood.find(({ status }) => status === 429)
  t.match(refused?.body, 'Un peu de patience')
  t.match(refused?.body, 'Il y a eu trop de clics en peu de temps.')
  t.equal(refused?.headers['retry-after'], '60')
  t.strictSame(world.limited, Array(5).fill('unblockPerMinute'))
  t.equal((await world.click(PAGE, { ip: '10.1.3.8' })).status, 303)
  world.now += 60_000
  t.equal((await world.click(PAGE)).status, 303)
})

tap.test(
  'a PC and a school have so many pending requests and no more; nothing is written beyond',
  async t => {
    const world = await PortalWorld.open(t, { limits: { pendingPerPc: 1, pendingPerSite: 2 } })
    t.equal((await world.click(PAGE)).status, 303)
    const second = await world.clickJson('http://autre.example/')
    t.equal(second.status, 429)
    t.match(JSON.parse(second.body), { text: /beaucoup de demandes/ })
    t.equal((await world.click(PAGE, { ip: '10.1.3.8' })).status, 303, 'joining is always possible')
    t.equal((await world.click('http://autre.example/', { ip: '10.1.3.8' })).status, 303)
    t.equal((await world.click('http://www.jeux.example/', { ip: '10.1.3.9' })).status, 429)
    t.equal(
      (await world.click('http://www.jeux.example/', { ip: '10.2.0.1' })).status,
      303,
      'another school',
    )
    t.strictSame(world.limited, ['pendingPerPc', 'pendingPerSite'])
    t.equal((await world.requests()).length, 3)
    t.equal((await world.store.tail({ limit: 10 })).length, 4)
  },
)

tap.test('clicks on several sites at the same moment cannot pass the bound together', async t => {
  const world = await PortalWorld.open(t, { limits: { pendingPerPc: 1 } })
  const urls = ['http://jeux.example/', 'http://www.jeux.example/', 'http://autre.example/']
  const answers = await Promise.all(urls.map(url => world.click(url)))
  t.same(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [303, 429, 429],
  )
  t.equal((await world.requests()).length, 1)
})

tap.test('once requests are decided there is room again', async t => {
  const world = await PortalWorld.open(t, { limits: { pendingPerPc: 1 } })
  await world.click(PAGE)
  await world.refuse('non')
  t.equal((await world.click('http://autre.example/')).status, 303)
})

/** Every name below `jeux.example` is a game: as many sites as a flood needs. */
async function openWithManySites(t: Test, limits: Partial<Limits>): Promise<PortalWorld> {
  const world = await PortalWorld.open(t, { limits })
  const categories = (host: string): string[] => (host.endsWith('jeux.example') ? ['games'] : [])
  world.snapshot = { ...world.snapshot, categories }
  return world
}
const siteOf = (i: number): string => `http://a${i}.jeux.example/`

tap.test('a PC gets no more by spreading its clicks over several workers', async t => {
  const limits = { unblockPerMinute: 10, pendingPerPc: 4 }
  const world = await openWithManySites(t, limits)
  const portals = [world.portal, await world.secondPortal(t, { limits })]
  const statuses = []
  for (let i = 0; i < 20; i++)
    statuses.push((await world.click(siteOf(i), { portal: portals[i % 2]! })).status)
  t.equal(statuses.filter(status => status === 303).length, 4)
  t.equal((await world.requests()).length, 4)
  t.equal(world.limited.filter(limit => limit === 'pendingPerPc').length, 6)
  t.equal(world.limited.filter(limit => limit === 'unblockPerMinute').length, 10)
})

tap.test('at the same moment the bound may be passed by one for each other worker', async t => {
  const limits = { unblockPerMinute: 0, pendingPerPc: 5, pendingPerSite: 0 }
  const world = await openWithManySites(t, limits)
  const portals = [world.portal, await world.secondPortal(t, { limits })]
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => world.click(siteOf(i), { portal: portals[i % 2]! })),
  )
  const { length } = await world.requests()
  t.comment(`measured: ${length} requests where 5 are allowed, 60 clicks at once on 2 workers`)
  t.ok(length >= 5 && length <= 6, `${length}`)
})

tap.test('an IPv6 PC gets no more by changing its address within its network', async t => {
  const world = await openWithManySites(t, { unblockPerMinute: 8, pendingPerPc: 3 })
  for (let i = 0; i < 20; i++) await world.click(siteOf(i), { ip: `2001:db8:1:2::${i + 1}` })
  t.equal((await world.requests()).length, 3)
  t.equal(world.limited.filter(limit => limit === 'unblockPerMinute').length, 12)
  t.equal((await world.click(siteOf(30), { ip: '2001:db8:1:3::1' })).status, 303)
  t.strictSame(
    (await world.requests())[0]?.body.askers.map(({ ip }) => ip),
    ['2001:db8:1:3::1'],
    'what is shown and opened is the address itself',
  )
})

tap.test('a PC that repeats its click on other workers is written once in ten seconds', async t => {
  const world = await PortalWorld.open(t)
  const portals = [world.portal, await world.secondPortal(t), await world.secondPortal(t)]
  const clickAll = async (ip: string) => {
    for (const portal of portals) t.equal((await world.click(PAGE, { ip, portal })).status, 303)
  }
  await clickAll('10.1.3.7')
  await clickAll('10.1.3.8')
  t.match((await world.requests())[0]?.body, { clicks: 2 })
  t.equal((await world.store.tail({ limit: 10 })).length, 2)
  world.now += 10_000
  await clickAll('10.1.3.7')
  t.match((await world.requests())[0]?.body, { clicks: 3 })
})

tap.test(
  'where the counts cannot be read a click is refused honestly, never let through',
  async t => {
    const world = await PortalWorld.open(t)
    world.permits.take = () =>
      Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'disk /secret' }))
    const answer = await world.click(PAGE)
    t.equal(answer.status, 503)
    t.match(answer.body, 'Impossible pour le moment')
    t.notMatch(answer.body, 'secret')
    t.strictSame(await world.requests(), [])
  },
)
