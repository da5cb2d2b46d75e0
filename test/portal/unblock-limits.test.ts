import tap from 'tap'
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
