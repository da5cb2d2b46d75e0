import tap from 'tap'
import { PortalWorld, type Answer } from './portal-world.ts'

const PAGE = 'http://blog.example/article?id=1'

const goOn = (world: PortalWorld, headers: Record<string, string> = {}): Promise<Answer> =>
  world.ask('http://blog.example/.preau/continue', {
    method: 'POST',
    headers: { origin: 'http://blog.example', referer: PAGE, ...headers },
  })

tap.test('who has read the warning goes on, for one PC and for an hour', async t => {
  const world = await PortalWorld.open(t)
  t.match((await world.ask(PAGE)).body, 'pendant 60 minutes')
  world.store.watch(() => void world.swap())
  const { status, headers } = await goOn(world)
  t.equal(status, 303)
  t.equal(headers.location, PAGE)
  t.equal(
    (await world.ask(PAGE)).body,
    'the site itself',
    'at once: the answer waited for the policy',
  )
  t.equal((await world.ask(PAGE, { ip: '10.1.3.8' })).status, 403, 'not for another PC')
  const [grant] = await world.store.list('grant')
  t.match(grant?.body, {
    host: 'blog.example',
    scope: { kind: 'pc', ip: '10.1.3.7' },
    origin: 'acknowledged',
    by: 'pc:10.1.3.7',
    until: world.now + 3_600_000,
  })
  const [entry] = await world.store.tail({ limit: 1 })
  t.match(entry, { by: 'pc:10.1.3.7', action: 'grant.acknowledge', subject: 'blog.example' })
  world.now += 3_600_000
  t.equal((await world.ask(PAGE)).status, 403, 'the hour has passed')
})

tap.test('a warning is passed by its own button only', async t => {
  const world = await PortalWorld.open(t)
  t.equal((await goOn(world, { origin: 'http://evil.example' })).status, 403)
  t.equal((await goOn(world, { 'sec-fetch-site': 'cross-site' })).status, 403)
  const blocked = await world.ask('http://jeux.example/.preau/continue', { method: 'POST' })
  t.equal(blocked.status, 403)
  t.same(await world.store.list('grant'), [])
})

tap.test('where warnings cannot be passed there is no button', async t => {
  const world = await PortalWorld.open(t, { limits: { acknowledgeMinutes: 0 } })
  const page = await world.ask(PAGE)
  t.equal(page.status, 403)
  t.notMatch(page.body, 'Continuer vers le site')
  t.equal((await goOn(world)).status, 403)
  t.same(await world.store.list('grant'), [])
})
