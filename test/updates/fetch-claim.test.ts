/** Several machines on one store ask a source once: UT1 asks not to be called often. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { configSchema } from '../../src/config.ts'
import { install } from '../../src/install.ts'
import { machineName } from '../../src/machine.ts'
import type { FetchClaim } from '../../src/policy/list-source.ts'
import type { Store } from '../../src/store/store.ts'
import { fetchSource, SCHEDULE, type FetchOutcome } from '../../src/updates/fetch-source.ts'
import { createTurn } from '../../src/updates/schedule.ts'
import { DIAL, serveHttp } from './source-server.ts'

const NIGHT = Date.parse('2026-11-23T23:00:00Z')
const MINUTE_MS = 60_000

/** Two machines whose source is due, and the clock of both. */
async function openPair(t: Test) {
  const clock = { now: NIGHT }
  let asked = 0
  let answering: Promise<unknown> = Promise.resolve()
  const origin = await serveHttp(t, (_request, response) => {
    asked++
    void answering.then(() => response.end('a.test\n'))
  })
  const base = { format: 'lines', category: 'games' }
  const sources = [{ name: 'city', url: `${origin}/games.txt`, ...base }]
  const dir = t.testdir()
  const configOf = (name: string) => ({
    ...configSchema.parse({ dataDir: join(dir, name), lists: { sources } }),
    dial: DIAL,
  })
  const config = configOf('a')
  const { store } = await install(config, () => clock.now)
  t.teardown(() => store.close())
  const source = config.lists.sources[0]
  if (source === undefined) throw new Error('no source')
  const deps = (name: string) => ({
    store,
    // The lists themselves lie in one folder here: what is shared of them is another matter.
    config: name === 'a' ? config : configOf(name),
    catalogue: loadCatalogue(),
    clock: () => clock.now,
    seed: 'seed',
  })
  await store.commit({ by: 'test', action: 'test', at: 0 }, [
    { kind: 'fetch', id: 'city', body: { nextAt: NIGHT - MINUTE_MS } },
  ])
  return {
    store,
    clock,
    asked: () => asked,
    hold(until: Promise<unknown>): void {
      answering = until
    },
    fetch: (name: string, by: string): Promise<FetchOutcome> =>
      fetchSource(deps(name), { source, by, mode: 'auto' }),
    /** What the schedule of a machine would start now. */
    async turn(name: string): Promise<string | undefined> {
      return createTurn({ ...deps(name), work: { fetch: () => true } })()
    },
    claimed: (claim: Partial<FetchClaim>) => writeClaim(store, claim),
  }
}

async function writeClaim(store: Store, claim: Partial<FetchClaim>): Promise<void> {
  const whole = { id: 'x', machine: 'elsewhere', pid: 1, at: NIGHT, until: NIGHT + MINUTE_MS }
  const body = { nextAt: NIGHT - MINUTE_MS, claim: { ...whole, ...claim } }
  await store.commit({ by: 'test', action: 'test', at: 0 }, [{ kind: 'fetch', id: 'city', body }])
}

t.test('of two machines that begin in the same instant one asks the source', async t => {
  const pair = await openPair(t)
  const outcomes = await Promise.all([pair.fetch('a', SCHEDULE), pair.fetch('b', SCHEDULE)])
  t.same(outcomes.map(({ kind }) => kind).sort(), ['activated', 'elsewhere'])
  t.equal(pair.asked(), 1)
  t.match(await pair.fetch('b', SCHEDULE), { kind: 'elsewhere' }, 'nor after the first has ended')
  t.equal(pair.asked(), 1)
  const status = (await pair.store.get('fetch', 'city'))?.body
  t.match(status, { checkedAt: NIGHT, claim: undefined, failure: undefined })
})

t.test('while one is at work the schedule of the other leaves the source alone', async t => {
  const pair = await openPair(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  pair.hold(promise)
  t.equal(await pair.turn('b'), 'city', 'it is due')
  const work = pair.fetch('a', SCHEDULE)
  while (pair.asked() === 0) await new Promise(tick => setTimeout(tick, 5))
  t.equal(await pair.turn('b'), undefined)
  await t.rejects(pair.fetch('b', 'alice'), {
    code: 'PREAU_FETCH_ELSEWHERE',
    message: /being updated already \(.+:.*\/a\)/,
  })
  t.equal((await pair.store.get('fetch', 'city'))?.body.failure, undefined, 'which is no failure')
  resolve()
  t.match(await work, { kind: 'activated' })
})

t.test('one that died is waited for a short while, then another machine takes over', async t => {
  const pair = await openPair(t)
  await pair.claimed({ until: NIGHT + MINUTE_MS })
  t.equal(await pair.turn('b'), undefined)
  t.match(await pair.fetch('b', SCHEDULE), { kind: 'elsewhere' })
  pair.clock.now += MINUTE_MS
  t.equal(await pair.turn('b'), 'city')
  t.match(await pair.fetch('a', SCHEDULE), { kind: 'activated' })
  t.equal(pair.asked(), 1)
})

t.test(
  'one that died while its clock was weeks ahead keeps nobody from asking for weeks',
  async t => {
    const pair = await openPair(t)
    const ahead = 21 * 24 * 60 * MINUTE_MS
    await pair.claimed({ at: NIGHT + ahead, until: NIGHT + ahead + 2 * MINUTE_MS })
    t.equal(await pair.turn('b'), 'city')
    t.match(await pair.fetch('a', 'alice'), { kind: 'activated' })
  },
)

t.test('a machine that lost the race takes over as soon as the winner is gone', async t => {
  const started: string[] = []
  const pair = await openPair(t)
  const turn = createTurn({
    store: pair.store,
    config: configSchema.parse({
      lists: { sources: [{ name: 'city', url: 'http://a.test/', category: 'games' }] },
    }),
    clock: () => pair.clock.now,
    seed: 'seed',
    work: {
      fetch(name) {
        started.push(name)
        return true
      },
    },
  })
  t.equal(await turn(), 'city')
  // It found the claim of another one, made just before its own.
  await pair.claimed({ at: NIGHT, until: NIGHT + 2 * MINUTE_MS })
  pair.clock.now += MINUTE_MS
  t.equal(await turn(), undefined)
  pair.clock.now += MINUTE_MS
  t.equal(await turn(), 'city', 'not an hour later')
  t.equal(started.length, 2)
  t.equal(pair.asked(), 0)
})

t.test('a process of this very machine that is gone is not waited for', async t => {
  const pair = await openPair(t)
  const machine = machineName({ dataDir: join(t.testdirName, 'a') })
  await pair.claimed({ machine, pid: 2 ** 22 + 1, until: NIGHT + MINUTE_MS })
  t.match(await pair.fetch('a', 'alice'), { kind: 'activated' })
  await pair.claimed({ machine, pid: process.pid, until: NIGHT + MINUTE_MS })
  await t.rejects(pair.fetch('a', 'alice'), { code: 'PREAU_FETCH_ELSEWHERE' })
})
