/** Sources are asked at night, each at its own minute, and never by day: UT1 asks for it. */
import t, { type Test } from 'tap'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { configSchema } from '../../src/config.ts'
import type { FetchStatus, ListSource } from '../../src/policy/list-source.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { dueAt, isNight, nextFetchAt, retryAt, type Moment } from '../../src/updates/fetch-times.ts'
import { createTurn, startSchedule } from '../../src/updates/schedule.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const moment = (change: Partial<Moment> = {}): Moment => ({
  source: 'ut1',
  seed: 'city',
  fetchFromHourUtc: 20,
  fetchToHourUtc: 5,
  ...change,
})
const at = (text: string): number => Date.parse(`2026-11-${text}:00Z`)
const hour = fc.integer({ min: 0, max: 23 })
const moments = fc.record({
  source: fc.string(),
  seed: fc.string(),
  fetchFromHourUtc: hour,
  fetchToHourUtc: hour,
})
const instants = fc.integer({ min: at('01T00:00'), max: at('30T00:00') })

t.test('the next fetch is always ahead, at night, and within a day', async t => {
  fc.assert(
    fc.property(moments, instants, (any, now) => {
      const next = nextFetchAt(any, now)
      return next > now && next <= now + DAY_MS && isNight(any, next)
    }),
  )
  t.pass()
})

t.test('a source is asked at the same minute every night', async t => {
  fc.assert(
    fc.property(moments, instants, (any, now) => {
      const next = nextFetchAt(any, now)
      return nextFetchAt(any, next) === next + DAY_MS && nextFetchAt(any, next - 1) === next
    }),
  )
  t.pass()
})

t.test('cities and sources are spread over the whole night', async t => {
  const now = at('23T12:00')
  const hours = (make: (i: number) => Moment): Set<number> =>
    new Set(
      Array.from({ length: 500 }, (_, i) => new Date(nextFetchAt(make(i), now)).getUTCHours()),
    )
  const night = new Set([20, 21, 22, 23, 0, 1, 2, 3, 4])
  t.strictSame(hours(i => moment({ seed: `city ${i}` })).symmetricDifference(night), new Set())
  t.strictSame(hours(i => moment({ source: `list ${i}` })).symmetricDifference(night), new Set())
})

t.test('after a failure the distance grows, and it is never asked again by day', async t => {
  const rows: [times: number, now: number, next: number][] = [
    [1, at('23T21:00'), at('23T22:00')],
    [2, at('23T22:00'), at('24T00:00')],
    [3, at('24T00:00'), at('24T04:00')],
    [4, at('24T04:00'), nextFetchAt(moment(), at('24T04:00'))],
    [1, at('24T04:00'), nextFetchAt(moment(), at('24T04:00'))],
    [1, at('24T10:00'), nextFetchAt(moment(), at('24T10:00'))],
    [9_999, at('23T21:00'), nextFetchAt(moment(), at('23T21:00'))],
  ]
  for (const [times, now, next] of rows) t.equal(retryAt(moment(), times, now), next)
  fc.assert(
    fc.property(moments, fc.integer({ min: 1, max: 50 }), instants, (any, times, now) => {
      const next = retryAt(any, times, now)
      return next > now && next <= now + DAY_MS && isNight(any, next)
    }),
  )
})

t.test('what was missed waits for the next night, and for its minute of it', async t => {
  const own = nextFetchAt(moment(), at('23T12:00'))
  const rows: [what: string, planned: number | undefined, now: number, due: number][] = [
    ['a plan ahead stands', own, at('23T12:00'), own],
    ['its time has come', own, own + 5_000, own],
    ['missed last night, by day', own, at('24T12:00'), own + DAY_MS],
    ['missed days ago, before its minute', own - 5 * DAY_MS, own - 60_000, own],
    ['missed days ago, after its minute', own - 5 * DAY_MS, own + 60_000, own],
    ['a new source', undefined, at('23T12:00'), own],
    ['planned for hours that are no night any more', at('24T10:00'), at('23T12:00'), own],
    ['planned by a clock that was wrong', own + 90 * DAY_MS, at('23T12:00'), own],
  ]
  for (const [what, planned, now, due] of rows) t.equal(dueAt(moment(), planned, now), due, what)
})

const source = (name: string, enabled = true): ListSource => ({
  name,
  url: `http://${name}.test/`,
  format: 'auto',
  category: null,
  enabled,
})

async function openNight(
  t: Test,
  sources: readonly ListSource[],
  statuses: Record<string, FetchStatus> = {},
) {
  const store = await openSqliteStore(join(t.testdir(), 'preau.db'))
  t.teardown(() => store.close())
  for (const [id, body] of Object.entries(statuses)) {
    await store.commit({ by: 'test', action: 'test', at: 0 }, [{ kind: 'fetch', id, body }])
  }
  const started: string[] = []
  const state = { now: at('23T12:00'), isBusy: false }
  const options = {
    store,
    config: configSchema.parse({ lists: { sources } }),
    clock: () => state.now,
    seed: 'city',
    work: {
      fetch(name: string) {
        if (!state.isBusy) started.push(name)
        return !state.isBusy
      },
    },
  }
  return { store, started, state, options, turn: createTurn(options) }
}

const planOf = async (store: Store, name: string) => (await store.get('fetch', name))?.body.nextAt

t.test('a new source is planned for the night, and asked once its minute has come', async t => {
  const { store, started, state, turn } = await openNight(t, [source('ut1'), source('off', false)])
  t.equal(await turn(), undefined, 'not by day')
  const plan = (await planOf(store, 'ut1')) ?? 0
  t.equal(plan, nextFetchAt(moment(), state.now), 'and the plan can be read')
  t.equal(await planOf(store, 'off'), undefined)
  state.now = plan - 1
  t.equal(await turn(), undefined)
  state.now = plan
  t.equal(await turn(), 'ut1')
  state.now += 60_000
  t.equal(await turn(), undefined, 'a fetch that leaves no trace is not started each minute')
  state.now += HOUR_MS
  t.equal(await turn(), 'ut1', 'yet it is tried again')
  t.strictSame(started, ['ut1', 'ut1'])
})

t.test('one fetch at a time, the one that has waited longest first', async t => {
  const now = at('23T23:30')
  const statuses = {
    a: { nextAt: at('23T22:00') },
    b: { nextAt: at('23T21:00') },
    c: { nextAt: at('23T23:59') },
  }
  const night = await openNight(t, [source('a'), source('b'), source('c')], statuses)
  night.state.now = now
  night.state.isBusy = true
  t.equal(await night.turn(), undefined)
  night.state.isBusy = false
  t.equal(await night.turn(), 'b', 'work that was refused does not count as started')
  t.equal(await night.turn(), 'a')
  t.equal(await night.turn(), undefined)
})

t.test(
  'what was missed while Préau was down is not asked by day, and keeps its history',
  async t => {
    const missed = { nextAt: at('20T23:00'), checkedAt: at('19T23:00'), etag: '"1"' }
    const { store, state, turn } = await openNight(t, [source('ut1')], { ut1: missed })
    t.equal(await turn(), undefined)
    const nextAt = nextFetchAt(moment(), state.now)
    t.strictSame((await store.get('fetch', 'ut1'))?.body, { ...missed, nextAt })
    const { length } = await store.tail({ limit: 100 })
    t.equal(await turn(), undefined)
    t.equal((await store.tail({ limit: 100 })).length, length, 'nothing is written twice')
  },
)

t.test('a store that is down is told in the log, and looked at again', async t => {
  const night = await openNight(t, [source('ut1')])
  const warnings: string[] = []
  const fail = () => Promise.reject(new Error('down'))
  const broken = { ...night.store, get: fail, list: fail }
  const logged = new Promise<void>(resolve => {
    const schedule = startSchedule({
      ...night.options,
      store: broken,
      logger: {
        warn: (_: object, text: string) => {
          warnings.push(text)
          resolve()
        },
      } as never,
    })
    t.teardown(() => schedule.stop())
  })
  await logged
  t.match(warnings, [/could not be looked at/])
})
