/** What must not be kept goes by itself: RGPD, and the charter's year. */
import t, { type Test } from 'tap'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema } from '../src/config.ts'
import { PreauError } from '../src/errors.ts'
import { cleanRecords, startHousekeeping, takeTurn } from '../src/housekeeping.ts'
import type { Change } from '../src/policy/document.ts'
import { CLOCK_TOLERANCE_MS, type Grant } from '../src/policy/grant.ts'
import { latestKeyOf, type UnblockRequest } from '../src/policy/unblock-request.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import type { CommitNote, Store } from '../src/store/store.ts'
import { over } from './portal/broken-store.ts'
import { host } from './support/snapshot.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-11-23T10:00:00Z')
/** What ended then is over for good, however fast the clock was. */
const OVER = NOW - CLOCK_TOLERANCE_MS
const NOTE = { by: 'test', action: 'test', at: NOW }
const clock = (): number => NOW

/** An id as it is made at an instant (UUIDv7): its first 48 bits are that time. */
function idAt(at: number, name: string): string {
  const hex = at.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-${name}`
}
const nameOf = (id: string): string => id.slice(14)

function grant(name: string, at: number, change: Partial<Grant> = {}): Change {
  const id = idAt(at, name)
  const scope = { kind: 'city' } as const
  const fixed = { id, host: host('games.test'), scope, origin: 'approved', by: 'alice' } as const
  return { kind: 'grant', id, body: { ...fixed, at, until: null, ...change } }
}

function request(
  name: string,
  site: string,
  at: number,
  change: Partial<UnblockRequest> = {},
): Change[] {
  const id = idAt(at, name)
  const body: UnblockRequest = {
    id,
    host: host('games.test'),
    port: 443,
    url: 'https://games.test/',
    reason: 'blocked-category',
    site,
    siteName: site,
    askers: [],
    clicks: 1,
    at,
    lastAt: at,
    ...change,
  }
  return [
    { kind: 'request', id, body },
    { kind: 'latest', id: latestKeyOf(body), body: { requestId: id } },
  ]
}

const refused = (at: number): Partial<UnblockRequest> => ({
  decision: { outcome: 'refused', by: 'alice', at, reason: 'x' },
})

const session = (id: string, until: number): Change => ({
  kind: 'session',
  id,
  body: { user: 'alice', csrf: 'x', at: 0, until, seal: '' },
})

async function open(t: Test, dataDir = t.testdir()) {
  const store = await openSqliteStore(join(dataDir, 'preau.db'))
  t.teardown(() => store.close())
  const config = configSchema.parse({ dataDir })
  const logged: unknown[] = []
  const logger = { warn: (...args: unknown[]) => void logged.push(args) }
  return { dataDir, logged, options: { store, config, clock, logger } }
}

t.test('old records and files go, those in force stay', async t => {
  const { dataDir, options } = await open(
    t,
    t.testdir({
      'access-log': { 'access-2026-01-01.jsonl': '', 'access-2026-11-23.jsonl': '' },
    }),
  )
  const { store } = options
  const [lately, longAgo] = [NOW - 364 * DAY_MS, NOW - 366 * DAY_MS]
  const ended = { endedBy: 'alice' }
  await store.commit(NOTE, [
    grant('in-force', NOW - 1, { until: NOW + 1 }),
    grant('for-good', longAgo),
    grant('over', NOW - 2, { until: OVER }),
    grant('over-unless-the-clock-is-fast', NOW - 3, { until: OVER + 1 }),
    grant('read-warning', NOW - 2, { until: OVER, origin: 'acknowledged' }),
    grant('ended-lately', longAgo, { ...ended, endedAt: lately }),
    grant('ended-long-ago', longAgo, { ...ended, endedAt: longAgo }),
    ...request('pending', 'a', NOW),
    ...request('pending-for-ever', 'd', longAgo),
    ...request('pending-and-asked-again', 'e', longAgo, { lastAt: lately }),
    ...request('decided-lately', 'b', longAgo, refused(lately)),
    ...request('decided-long-ago', 'c', longAgo, refused(longAgo)),
    session('open', NOW + 1),
    session('over', OVER),
  ])
  await store.commit({ by: 'pc:10.1.2.3', action: 'old', at: longAgo }, [])
  await store.commit(NOTE, [])
  await takeTurn(options)
  const names = async (kind: 'grant' | 'request', facet?: string) =>
    (await store.list(kind, facet === undefined ? {} : { facet }))
      .map(({ id }) => nameOf(id))
      .toSorted()
  t.strictSame(await names('grant', 'active'), [
    'for-good',
    'in-force',
    'over-unless-the-clock-is-fast',
  ])
  t.strictSame(await names('grant', 'ended'), ['ended-lately', 'over'])
  t.strictSame(await names('request'), ['decided-lately', 'pending', 'pending-and-asked-again'])
  t.strictSame((await store.list('latest')).map(({ id }) => id).toSorted(), [
    'a/games.test',
    'b/games.test',
    'e/games.test',
  ])
  t.strictSame(
    (await store.list('session')).map(({ id }) => id),
    ['open'],
  )
  t.notOk(existsSync(join(dataDir, 'access-log/access-2026-01-01.jsonl')))
  t.ok(existsSync(join(dataDir, 'access-log/access-2026-11-23.jsonl')))
  const [entry] = await store.tail({ limit: 1 })
  t.match(entry, { by: 'system', action: 'housekeeping' }, 'and the audit says so')
  t.notOk(
    (await store.tail({ limit: 10 })).some(({ action }) => action === 'old'),
    'old audit entries are forgotten',
  )
  t.equal(await cleanRecords(options), 0, 'a second turn finds nothing')
})

t.test('of what has gone nothing can be found in the files of the data folder', async t => {
  const { dataDir, options } = await open(t)
  const { store } = options
  const longAgo = NOW - 366 * DAY_MS
  for (let i = 0; i < 200; i++) {
    const by = `pc:10.99.${i}.7`
    await store.commit({ by, action: 'request.open', subject: `forgotten${i}.test`, at: longAgo }, [
      ...request(`forgotten${i}`, `forgotten-school-${i}`, longAgo, refused(longAgo)),
      session(`forgotten-session-${i}`, OVER),
    ])
  }
  await store.permits.take('join:forgotten', { max: 1, windowMs: 1_000 })
  await store.permits.clear('join:forgotten')
  const traces = (): string[] =>
    readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
      .filter(file => /forgotten|pc:10\.99/.test(readFileSync(file, 'latin1')))
  await store.commit(NOTE, [])
  t.ok(traces().length > 0, 'they were there')
  await takeTurn(options)
  t.strictSame(traces(), [])
})

t.test('a folder of logs with other files in it keeps them', async t => {
  const { dataDir, options } = await open(t)
  mkdirSync(join(dataDir, 'access-log'))
  writeFileSync(join(dataDir, 'access-log/notes.txt'), '')
  t.equal(await takeTurn(options), 0)
  t.ok(existsSync(join(dataDir, 'access-log/notes.txt')))
})

t.test('a clock that is years ahead when the machine starts destroys nothing', async t => {
  const logs = { 'access-log': { 'access-2026-11-22.jsonl': '' } }
  const { dataDir, options } = await open(t, t.testdir(logs))
  const { store } = options
  await store.commit(NOTE, [
    grant('in-force', NOW - 1, { until: NOW + DAY_MS }),
    ...request('pending', 'a', NOW),
    session('open', NOW + DAY_MS),
  ])
  t.equal(await takeTurn({ ...options, clock: () => NOW + 10 * 365 * DAY_MS }), 0)
  t.equal(await store.count('grant', 'active'), 1)
  t.equal(await store.count('request', 'pending'), 1)
  t.equal(await store.count('session'), 1)
  t.equal((await store.tail({ limit: 10 })).at(-1)?.action, NOTE.action)
  t.ok(existsSync(join(dataDir, 'access-log/access-2026-11-22.jsonl')))
})

t.test('where nobody has done anything for days it is cleaned an hour later', async t => {
  const { options } = await open(t)
  const { store } = options
  await store.commit(NOTE, [session('over', OVER)])
  let now = NOW + 3 * DAY_MS
  const later = { ...options, clock: () => now }
  t.equal(await takeTurn(later), 0)
  now += 3_600_000
  await store.permits.clear('housekeeping')
  t.equal(await takeTurn(later), 1)
})

t.test('of two admin processes one does the work of the hour', async t => {
  const { dataDir, options } = await open(t)
  const second = await openSqliteStore(join(dataDir, 'preau.db'))
  t.teardown(() => second.close())
  await options.store.commit(NOTE, [session('over', OVER)])
  const done = await Promise.all([takeTurn(options), takeTurn({ ...options, store: second })])
  t.strictSame(done.toSorted(), [0, 1])
  const entries = await options.store.tail({ limit: 10 })
  t.equal(entries.filter(({ action }) => action === 'housekeeping').length, 1)
})

t.test('a turn that fails is logged, and leaves the hour to whoever can', async t => {
  const { options, logged } = await open(t)
  const down = () => Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'x' }))
  await options.store.commit(NOTE, [session('over', OVER)])
  const store = over(options.store, { commit: down })
  const running = startHousekeeping({ ...options, store })
  t.teardown(() => running.stop())
  while (logged.length === 0) await new Promise(resolve => setImmediate(resolve))
  while ((await takeTurn(options)) === 0) await new Promise(resolve => setImmediate(resolve))
  t.strictSame(await options.store.list('session'), [])
  t.equal(logged.length, 1)
})

/** The store, with what is done to it, and something done before the first commit of the cleaning. */
function watched(store: Store, before: () => Promise<unknown> = async () => undefined) {
  const commits: number[] = []
  let isFirst = true
  const wrapped = over(store, {
    commit: async (note: CommitNote, changes) => {
      if (isFirst) {
        isFirst = false
        await before()
      }
      await store.commit(note, changes)
      commits.push(changes.length)
    },
  })
  return { commits, store: wrapped }
}

t.test('a record that somebody writes meanwhile is left to them, without a word', async t => {
  const { options } = await open(t)
  const { store } = options
  const over30 = Array.from({ length: 30 }, (_, i) =>
    grant(`over-${i}`, NOW - 100 + i, { until: OVER }),
  )
  await store.commit(NOTE, over30)
  const revoked = over30[7] as Extract<Change, { kind: 'grant' }>
  const body = { ...revoked.body!, endedBy: 'alice', endedAt: NOW - 1 }
  const { store: raced } = watched(store, () => store.commit(NOTE, [{ ...revoked, body }]))
  t.equal(await cleanRecords({ ...options, store: raced }), 29)
  const ends = await store.list('grant', { facet: 'ended' })
  t.equal(ends.length, 30)
  t.equal(ends.filter(grant => grant.body.endedBy === 'alice').length, 1)
})

t.test('thousands of records go in small commits', async t => {
  const { options } = await open(t)
  const warnings = Array.from({ length: 1_230 }, (_, i) =>
    grant(`read-${i}`, NOW - 10_000 + i, { until: OVER, origin: 'acknowledged' }),
  )
  await options.store.commit(NOTE, warnings)
  const { store, commits } = watched(options.store)
  t.equal(await cleanRecords({ ...options, store }), 1_230)
  t.equal(await options.store.count('grant'), 0)
  t.ok(commits.every(size => size <= 100))
})
