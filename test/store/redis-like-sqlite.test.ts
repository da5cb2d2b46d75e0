/** Whatever is committed, in whatever order: both stores give the same answers and hold the same. */
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import type { Change } from '../../src/policy/document.ts'
import { openStore } from '../../src/store/open-store.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { note, request } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis } from '../support/redis.ts'

const RUNS = 60
const FACETS = [
  undefined,
  'pending',
  'refused',
  'host:jeux.example',
  'pending-site:A',
  'pending-pc:10.0.0.1',
]

const id = fc.constantFrom('a', 'b', 'c', '\uD800', 'é\u0000', '')
const expects = fc.constantFrom(undefined, undefined, 'absent' as const, 1, 2, 3)
const body = fc.oneof(
  fc.constant(null),
  fc.record({
    isRefused: fc.boolean(),
    site: fc.constantFrom('A', 'B'),
    url: fc.string({ unit: 'binary' }),
  }),
)
const change = fc.record({ id, expects, body }).map((made): Change => {
  const version = made.expects === undefined ? {} : { expects: made.expects }
  if (made.body === null) return { kind: 'request', id: made.id, body: null, ...version }
  const { isRefused, site, url } = made.body
  const decision = { outcome: 'refused', by: 'dsi', at: 2, reason: url } as const
  const written = { ...request(made.id, isRefused ? decision : undefined), site, url }
  return { kind: 'request', id: made.id, body: written, ...version }
})
const commits = fc.array(fc.array(change, { maxLength: 5 }), { minLength: 1, maxLength: 12 })

async function outcome(store: Store, changes: readonly Change[]): Promise<unknown> {
  try {
    await store.commit(note(), changes)
    return 'committed'
  } catch (error) {
    const { code, params } = error as { code: string; params: object }
    return { code, params }
  }
}

async function contents(store: Store): Promise<unknown> {
  const lists = FACETS.map(facet => store.list('request', facet === undefined ? {} : { facet }))
  const counts = FACETS.map(facet => store.count('request', facet))
  const pages = ['a', 'b', 'é'].map(before => store.list('request', { before, limit: 2 }))
  const audit = (await store.tail({ limit: 100 })).length
  return [await Promise.all(lists), await Promise.all(counts), await Promise.all(pages), audit]
}

t.test('random commits come to the same on SQLite and on Redis', async t => {
  const server = await startRedis(t, { appendfsync: 'no' })
  const folder = t.testdir()
  const seen = { places: 0, commits: 0, conflicts: 0 }
  await fc.assert(
    fc.asyncProperty(commits, async all => {
      const place = `p${++seen.places}`
      const sqlite = await openSqliteStore(join(folder, `${place}.db`))
      const redis = await openStore(redisConfig(server.url, { prefix: place }), { check: true })
      try {
        for (const changes of all) {
          const [left, right] = [await outcome(sqlite, changes), await outcome(redis, changes)]
          seen[left === 'committed' ? 'commits' : 'conflicts'] += 1
          if (JSON.stringify(left) !== JSON.stringify(right)) return false
        }
        const [left, right] = [await contents(sqlite), await contents(redis)]
        return JSON.stringify(left) === JSON.stringify(right)
      } finally {
        await Promise.all([sqlite.close(), redis.close()])
      }
    }),
    { numRuns: RUNS },
  )
  t.ok(seen.commits > 10 && seen.conflicts > 10)
  t.comment(`measured: ${seen.commits} commits and ${seen.conflicts} conflicts, the same on both`)
})
