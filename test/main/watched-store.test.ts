/** The calls of a store are counted from beside: it answers what it answered. */
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { WatchedStore } from '../../src/main/watched-store.ts'
import { PreauError } from '../../src/errors.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { StoreWarning } from '../../src/store/store.ts'
import { over } from '../portal/broken-store.ts'
import { eventually } from '../support/proxy-world.ts'

t.test('calls are timed by kind; failures are counted, a conflict is an answer', async t => {
  const real = await openSqliteStore(join(t.testdir(), 'preau.db'))
  let isDown = false
  const down = (): Promise<never> =>
    Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'down' }))
  const watched = new WatchedStore(
    over(real, {
      get: (kind, id) => (isDown ? down() : real.get(kind, id)),
      check: async () => ({ isUp: !isDown, warnings: [] }),
    }),
    pino({ enabled: false }),
    50,
  )
  t.teardown(async () => {
    watched.close()
    await real.close()
  })
  const { store } = watched
  const change = { kind: 'latest', id: 'a', expects: 'absent', body: { requestId: 'r' } } as const
  await store.commit({ by: 'x', action: 'x', at: 0 }, [change])
  await t.rejects(store.commit({ by: 'x', action: 'x', at: 0 }, [change]), {
    code: 'PREAU_CONFLICT',
  })
  t.match(await store.get('latest', 'a'), { body: { requestId: 'r' } })
  await store.permits.take('k', { max: 1, windowMs: 1_000 })
  isDown = true
  await t.rejects(store.get('latest', 'a'), { code: 'PREAU_STORE_UNAVAILABLE' })
  const value = (name: string, labels: object): number | undefined =>
    watched
      .samples()
      .find(
        sample =>
          sample.name === name &&
          sample.part !== 'bucket' &&
          sample.part !== 'sum' &&
          JSON.stringify(sample.labels ?? {}) === JSON.stringify(labels),
      )?.value
  t.equal(value('preau_store_seconds', { call: 'read' }), 2)
  t.equal(value('preau_store_seconds', { call: 'commit' }), 2)
  t.equal(value('preau_store_seconds', { call: 'permit' }), 1)
  t.equal(value('preau_store_failures_total', { call: 'read' }), 1)
  t.equal(value('preau_store_failures_total', { call: 'commit' }), 0)
  await eventually(() => value('preau_store_up', {}) === 0)
  isDown = false
  await eventually(() => value('preau_store_up', {}) === 1)
  t.equal(watched.health?.isUp, true)
})

t.test('what is weaker than promised is logged once; acts that were lost are counted', async t => {
  const real = await openSqliteStore(join(t.testdir(), 'preau.db'))
  let warnings: readonly StoreWarning[] = [{ code: 'appendonly-off' }]
  let looks = 0
  const check = async () => {
    looks += 1
    return { isUp: looks % 2 === 1, warnings: looks % 2 === 1 ? warnings : [] }
  }
  const lines: { level: number; code: string; names?: string }[] = []
  const log = pino({}, { write: line => void lines.push(JSON.parse(line)) })
  const watched = new WatchedStore(over(real, { check }), log, 20)
  t.teardown(async () => {
    watched.close()
    await real.close()
  })
  const lost = () => watched.samples().find(({ name }) => name === 'preau_store_lost_acts')?.value
  await eventually(() => looks > 4)
  t.equal(lost(), 0)
  warnings = [...warnings, { code: 'acts-lost', params: { count: 2, names: 'a, b' } }]
  await eventually(() => lost() === 2)
  const then = looks
  await eventually(() => looks > then + 4)
  t.match(lines, [
    { level: 40, code: 'appendonly-off' },
    { level: 50, code: 'acts-lost', names: 'a, b' },
  ])
  t.equal(lines.length, 2)
})
