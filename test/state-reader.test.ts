/** What decides is read whole once; then only what is new of it, and the outcome is the same. */
import t from 'tap'
import { join } from 'node:path'
import type { Change } from '../src/policy/document.ts'
import type { Grant } from '../src/policy/grant.ts'
import { StateReader } from '../src/state-reader.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import { install } from '../src/install.ts'
import { loadConfig } from '../src/config.ts'
import { over } from './portal/broken-store.ts'
import { host } from './support/snapshot.ts'

const NOW = Date.parse('2026-11-23T10:00:00Z')
const DAY_MS = 86_400_000
const NOTE = { by: 'test', action: 'test', at: NOW }

function grant(id: string, change: Partial<Grant> = {}): Change {
  const scope = { kind: 'city' } as const
  const fixed = { host: host(`${id}.test`), scope, origin: 'approved', by: 'a', at: NOW } as const
  return { kind: 'grant', id, body: { id, ...fixed, until: NOW + DAY_MS, ...change } }
}
const many = (name: string, count: number): Change[] =>
  Array.from({ length: count }, (_, i) => grant(`${name}${String(i).padStart(4, '0')}`))

t.test('of thousands of grants a click moves the new one alone', async t => {
  const config = loadConfig(undefined, { PREAU_DATA_DIR: t.testdir() })
  await (await install(config, () => NOW)).store.close()
  const store = await openSqliteStore(join(config.dataDir, 'preau.db'))
  t.teardown(() => store.close())
  await store.commit(NOTE, [...many('m', 2_000), grant('long-over', { until: NOW - DAY_MS })])
  let moved = 0
  const counting = over(store, {
    async list(kind, query) {
      const rows = await store.list(kind, query)
      moved += rows.length
      return rows
    },
    get(kind, id) {
      if (kind === 'grant') moved += 1
      return store.get(kind, id)
    },
  })
  const reader = new StateReader({ store: counting, clock: () => NOW })
  const whole = () => new StateReader({ store, clock: () => NOW }).read(false)
  const steps: { what: string; changes: Change[]; moves: number }[] = [
    { what: 'the first one', changes: [], moves: 2_001 },
    {
      what: 'nothing new, though one past its time is still filed as active',
      changes: [],
      moves: 0,
    },
    { what: 'a new one', changes: [grant('new')], moves: 1 },
    { what: 'one that is older than those known', changes: [grant('a')], moves: 1 },
    { what: 'one that ends', changes: [grant('m0007', { endedAt: NOW, endedBy: 'a' })], moves: 0 },
    {
      what: 'one that is removed',
      changes: [{ kind: 'grant', id: 'm0008', body: null }],
      moves: 0,
    },
    { what: 'a whole crowd at once', changes: many('n', 60), moves: 2_061 },
  ]
  let isFirst = true
  for (const { what, changes, moves } of steps) {
    await store.commit(NOTE, changes)
    moved = 0
    const state = await reader.read(!isFirst)
    t.strictSame(state, await whole(), `${what}: the same as read whole`)
    t.equal(moved, moves, `${what}: records that were moved`)
    isFirst = false
  }
})

t.test('a store that was out of sight is read whole', async t => {
  const config = loadConfig(undefined, { PREAU_DATA_DIR: t.testdir() })
  const { store } = await install(config, () => NOW)
  t.teardown(() => store.close())
  await store.commit(NOTE, [grant('g')])
  const reader = new StateReader({ store, clock: () => NOW })
  await reader.read(false)
  // As a backup that was put back, or a replica that took over.
  await store.commit(NOTE, [grant('g', { host: host('another.test') })])
  t.match(await reader.read(false), { grants: [{ host: 'another.test' }] })
})
