/** Clicks at several machines on one Redis: what holds within one process holds between them, whatever their clocks say. */
import { randomUUIDv7 } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import tap, { type Test } from 'tap'
import type { Limits } from '../../src/config.ts'
import type { Host } from '../../src/policy/host.ts'
import { approve } from '../../src/policy/unblock-request.ts'
import { openStore } from '../../src/store/open-store.ts'
import { startRedis, startReplica, type RedisServer } from '../support/redis.ts'
import { redisConfig } from '../support/redis-config.ts'
import { PortalWorld, type Served } from './portal-world.ts'

const PAGE = 'http://jeux.example/partie'

interface City {
  readonly world: PortalWorld
  readonly redis: RedisServer
  readonly portals: readonly Served[]
}

/** Machines that share a Redis, each with its connection; the clocks of the others differ from the first by so much. */
async function openCity(
  t: Test,
  skews: readonly number[],
  limits: Partial<Limits> = {},
): Promise<City> {
  const redis = await startRedis(t)
  const connect = () => openStore(redisConfig(redis.url), { check: true })
  const world = await PortalWorld.open(t, { limits, store: await connect() })
  const categories = (host: string): string[] => (host.endsWith('jeux.example') ? ['games'] : [])
  world.snapshot = { ...world.snapshot, categories }
  const others = skews.map(async skew => {
    const store = await connect()
    t.teardown(() => store.close())
    const clock = (): number => world.now + skew
    return world.secondPortal(t, { wrap: () => store, limits, clock })
  })
  return { world, redis, portals: [world.portal, ...(await Promise.all(others))] }
}

tap.test('of a school that clicks at three machines at once one request is pending', async t => {
  const { world, portals } = await openCity(t, [-60_000, 60_000])
  const hosts = Array.from({ length: 5 }, (_, i) => `a${i}.jeux.example`)
  const answers = await Promise.all(
    Array.from({ length: 150 }, (_, i) =>
      world.clickJson(`http://${hosts[i % 5]}/`, {
        ip: `10.1.3.${1 + (i % 30)}`,
        portal: portals[i % 3]!,
      }),
    ),
  )
  t.same(new Set(answers.map(({ status }) => status)), new Set([200]))
  t.ok(answers.every(({ body }) => JSON.parse(body).state === 'sent'))
  const requests = await world.requests()
  t.strictSame(requests.map(({ body }) => body.host).toSorted(), hosts)
  for (const { body } of requests) t.equal(body.askers.length, 6, 'every PC is in it')
  const entries = await world.store.tail({ limit: 500 })
  t.equal(entries.filter(({ action }) => action === 'request.open').length, 5)
})

tap.test('a click on a machine whose clock is behind takes no time back', async t => {
  const { world, portals } = await openCity(t, [-60_000])
  await world.click(PAGE)
  world.now += 5_000
  await world.click(PAGE, { ip: '10.1.3.8', portal: portals[1]! })
  const [request] = await world.requests()
  t.match(request?.body, { clicks: 2, at: world.now - 5_000, lastAt: world.now - 5_000 })
  t.match((await world.ask(PAGE, { portal: portals[1]! })).body, 'Demande envoyée à 10:42')
})

tap.test('an approval counts at once on all, and ends on each by its own clock', async t => {
  const { world, portals } = await openCity(t, [-60_000, 60_000])
  await world.click(PAGE)
  const [stored] = await world.requests()
  const approval = { grantId: randomUUIDv7(), scope: 'site', duration: 'hour' } as const
  const note = { by: 'dsi', action: 'request.approve', at: world.now }
  const act = { by: 'dsi', now: world.now, timeZone: 'Europe/Paris' }
  await world.store.commit(note, approve(stored!, { ...approval, ...act }))
  const stateAt = async (place: number): Promise<string> => {
    const { body } = await world.clickJson(PAGE, { portal: portals[place]!, ip: '10.1.3.9' })
    return JSON.parse(body).state
  }
  for (const place of [0, 1, 2]) t.equal(await stateAt(place), 'approved')
  t.equal((await world.requests()).length, 1, 'nobody asks anew')
  world.now += 3_600_000 - 30_000
  t.equal(await stateAt(0), 'approved')
  t.equal(await stateAt(1), 'approved')
  t.equal(await stateAt(2), 'sent', 'half a minute early where the clock is a minute ahead')
})

tap.test('a flood at three machines costs Redis little', async t => {
  const { world, redis, portals } = await openCity(t, [0, 0])
  const ip = '10.1.3.7' as Host
  await world.click(PAGE, { ip })
  const commands = (): number =>
    Number(/total_commands_processed:(\d+)/.exec(redis.cli('info', 'stats'))?.[1])
  const before = commands()
  const statuses = []
  for (let i = 0; i < 1_200; i += 60) {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, k) =>
        world.click(`http://a${k % 10}.jeux.example/`, { ip, portal: portals[k % 3]! }),
      ),
    )
    statuses.push(...answers.map(({ status }) => status))
  }
  t.equal(statuses.filter(status => status === 303).length, 29)
  const spent = commands() - before
  t.comment(`measured: ${spent} commands of Redis for 1200 clicks, of which 29 were let through`)
  t.ok(spent < 1_200)
})

/** Of `redis.commandTimeoutMs`, 2 s by default; generous, since this machine has more to do. */
const TOLD_WITHIN_MS = 15_000

tap.test(
  'a whole class is told at once that Redis has fallen silent, none after the other',
  async t => {
    // Without a rate the clicks on one site wait for their turn before anything else is asked.
    const { world, redis } = await openCity(t, [], { unblockPerMinute: 0 })
    await world.click(PAGE)
    redis.pause()
    const startedAt = performance.now()
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => world.click(PAGE, { ip: `10.1.3.${i + 10}` })),
    )
    const tookMs = performance.now() - startedAt
    t.same(new Set(answers.map(({ status }) => status)), new Set([503]))
    t.comment(`measured: 60 clicks on one site answered after ${Math.round(tookMs)} ms`)
    t.ok(tookMs < TOLD_WITHIN_MS)
    redis.resume()
  },
)

tap.test('a click that no replica has yet is not called sent when it comes again', async t => {
  const redis = await startRedis(t)
  const replica = await startReplica(t, redis)
  const store = await openStore(redisConfig(redis.url, { replicas: 1 }), { check: true })
  const world = await PortalWorld.open(t, { store })
  const click = async () => (await world.clickJson(PAGE, { ip: '10.1.3.7' })).status
  replica.pause()
  t.equal(await click(), 503)
  t.equal((await world.requests()).length, 1, 'it is written all the same')
  t.equal(await click(), 503, 'the replica could take over without it')
  replica.resume()
  while ((await click()) !== 200) await wait(50)
  t.equal((await world.requests()).length, 1)
})
