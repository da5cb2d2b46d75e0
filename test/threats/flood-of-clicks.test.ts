/** One pupil who asks for everything is slowed down; a class behind one address, and its school, are not. */
import tap from 'tap'
import { openWorld } from '../admin/world.ts'
import { PortalWorld } from '../portal/portal-world.ts'

const HOSTS = ['jeux.example', 'www.jeux.example', 'autre.example']

tap.test(
  'of a thousand clicks in a minute few are written, and the neighbours are served',
  async t => {
    const world = await PortalWorld.open(t)
    const statuses: number[] = []
    for (let i = 0; i < 1_000; i += 50) {
      world.now += 3_000 - 1
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, k) => world.click(`http://${HOSTS[(i + k) % 3]}/`)),
      )
      statuses.push(...answers.map(({ status }) => status))
    }
    t.equal(statuses.filter(status => status === 303).length, 30)
    t.equal(statuses.filter(status => status === 429).length, 970)
    t.equal((await world.requests()).length, 3)
    t.ok((await world.store.tail({ limit: 500 })).length <= 33)
    t.equal((await world.click('http://jeux.example/', { ip: '10.1.3.8' })).status, 303)
  },
)

tap.test('thirty pupils behind one address who click once each are all heard', async t => {
  const world = await PortalWorld.open(t)
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      world.click(`http://${HOSTS[i % 3]}/`, { ip: '10.1.3.1' }),
    ),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([303]))
  t.equal((await world.requests()).length, 3)
})

tap.test('three hundred requests are shown by pages, the pending ones first', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  for (let i = 0; i < 300; i++) await world.ask({ host: `site-${i}.example` as never })
  const claire = await world.as('Claire')
  const { body } = await claire.get('/')
  t.match(body, '300 demandes')
  t.equal(body.match(/<li[^>]* id="r-|<[a-z]+ [^>]*id="r-/g)?.length, 100)
  t.ok(body.length < 500_000)
})

tap.test(
  'a PC that passes warnings without end, one sub-domain after the other, is stopped',
  async t => {
    const limits = { unblockPerMinute: 0, warningsPerPc: 10 }
    const world = await PortalWorld.open(t, { limits })
    const { snapshot } = world
    world.snapshot = {
      ...snapshot,
      categories: host => (host.endsWith('blog.example') ? ['blog'] : []),
    }
    world.store.watch(() => void world.swap())
    const goOn = async (name: string, ip = '10.1.3.7') => {
      const origin = `http://${name}.blog.example`
      const headers = { origin }
      return (await world.ask(`${origin}/.preau/continue`, { method: 'POST', ip, headers })).status
    }
    const statuses = []
    for (let i = 0; i < 12; i++) statuses.push(await goOn(`a${i}`))
    t.strictSame(statuses, [...Array<number>(10).fill(303), 429, 429])
    t.equal((await world.store.list('grant', { limit: 100 })).length, 10)
    t.equal(await goOn('a1', '10.1.3.8'), 303, 'the neighbour goes on')
    world.now += 3_600_000
    t.equal(await goOn('b'), 303, 'once those have ended')
  },
)
