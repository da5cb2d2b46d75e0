import tap from 'tap'
import { PreauError } from '../../src/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { over } from './broken-store.ts'
import { PortalWorld, type Answer } from './portal-world.ts'

const PAGE = 'http://blog.example/article?id=1'

const goOn = (
  world: PortalWorld,
  headers: Record<string, string> = {},
  portal = world.portal,
): Promise<Answer> =>
  world.ask('http://blog.example/.preau/continue', {
    method: 'POST',
    portal,
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

tap.test('two clicks at once, on two workers, open the site once', async t => {
  const world = await PortalWorld.open(t)
  const second = await world.secondPortal(t)
  world.store.watch(() => void world.swap())
  const answers = await Promise.all([goOn(world), goOn(world, {}, second)])
  t.strictSame(
    answers.map(({ status }) => status),
    [303, 303],
  )
  t.equal((await world.store.list('grant')).length, 1)
  t.equal((await world.ask(PAGE)).body, 'the site itself')
})

tap.test('a grant that could not be written may be tried again at once', async t => {
  let isDown = true
  const wrap = (store: Store): Store =>
    over(store, {
      commit: (note, changes) =>
        isDown
          ? Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'x' }))
          : store.commit(note, changes),
    })
  const world = await PortalWorld.open(t, { wrap })
  world.store.watch(() => void world.swap())
  t.equal((await goOn(world)).status, 503)
  isDown = false
  t.equal((await goOn(world)).status, 303)
  t.equal((await world.ask(PAGE)).body, 'the site itself')
})
