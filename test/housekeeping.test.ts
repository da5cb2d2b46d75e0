/** What must not be kept goes by itself: RGPD, and the charter's year. */
import t from 'tap'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configSchema } from '../src/config.ts'
import { cleanUp } from '../src/housekeeping.ts'
import type { Change } from '../src/policy/document.ts'
import { CLOCK_TOLERANCE_MS, type Grant } from '../src/policy/grant.ts'
import { latestKey, type UnblockRequest } from '../src/policy/unblock-request.ts'
import { openSqliteStore } from '../src/store/sqlite-store.ts'
import { host } from './support/snapshot.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-11-23T10:00:00Z')
const options = { clock: () => NOW, logger: undefined as never }

const grant = (id: string, change: Partial<Grant>): Change => ({
  kind: 'grant',
  id,
  body: {
    id,
    host: host('games.test'),
    scope: { kind: 'city' },
    origin: 'approved',
    by: 'alice',
    at: 0,
    until: null,
    ...change,
  },
})

const request = (
  id: string,
  site: string,
  decidedAt: number | undefined,
  lastAt = NOW,
): Change[] => {
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
    at: 0,
    lastAt,
    ...(decidedAt === undefined
      ? {}
      : { decision: { outcome: 'refused', by: 'alice', at: decidedAt, reason: 'x' } }),
  }
  return [
    { kind: 'request', id, body },
    { kind: 'latest', id: latestKey(site, body.host), body: { requestId: id } },
  ]
}

t.test('old records and files go, those in force stay', async t => {
  const dataDir = t.testdir({
    'access-log': { 'access-2026-01-01.jsonl': '', 'access-2026-11-23.jsonl': '' },
  })
  const config = configSchema.parse({ dataDir })
  const store = await openSqliteStore(join(dataDir, 'preau.db'))
  t.teardown(() => store.close())
  const ended = { endedBy: 'alice' }
  await store.commit({ by: 'test', action: 'test', at: NOW }, [
    grant('in-force', { until: NOW + 1 }),
    grant('for-good', {}),
    grant('over', { until: NOW - CLOCK_TOLERANCE_MS }),
    grant('over-unless-the-clock-is-fast', { until: NOW - CLOCK_TOLERANCE_MS + 1 }),
    grant('read-warning', { until: NOW - CLOCK_TOLERANCE_MS, origin: 'acknowledged' }),
    grant('ended-lately', { ...ended, endedAt: NOW - 364 * DAY_MS }),
    grant('ended-long-ago', { ...ended, endedAt: NOW - 366 * DAY_MS }),
    ...request('pending', 'a', undefined),
    ...request('pending-for-ever', 'd', undefined, 0),
    ...request('decided-lately', 'b', NOW - 364 * DAY_MS),
    ...request('decided-long-ago', 'c', NOW - 366 * DAY_MS),
    {
      kind: 'session',
      id: 'open',
      body: { user: 'alice', csrf: 'x', at: 0, until: NOW + 1, seal: '' },
    },
    {
      kind: 'session',
      id: 'over',
      body: { user: 'alice', csrf: 'x', at: 0, until: NOW - CLOCK_TOLERANCE_MS, seal: '' },
    },
  ])
  await store.commit({ by: 'pc:10.1.2.3', action: 'old', at: NOW - 366 * DAY_MS }, [])
  await cleanUp({ store, config, ...options })
  const ids = async (kind: 'grant' | 'request' | 'session' | 'latest', state?: string) =>
    (await store.list(kind, state === undefined ? {} : { state })).map(({ id }) => id).toSorted()
  t.strictSame(await ids('grant', 'active'), [
    'for-good',
    'in-force',
    'over-unless-the-clock-is-fast',
  ])
  t.strictSame(await ids('grant', 'ended'), ['ended-lately', 'over'])
  t.strictSame(await ids('request'), ['decided-lately', 'pending'])
  t.strictSame(await ids('latest'), ['a/games.test', 'b/games.test'])
  t.strictSame(await ids('session'), ['open'])
  t.notOk(existsSync(join(dataDir, 'access-log/access-2026-01-01.jsonl')))
  t.ok(existsSync(join(dataDir, 'access-log/access-2026-11-23.jsonl')))
  const [entry] = await store.tail({ limit: 1 })
  t.match(entry, { by: 'system', action: 'housekeeping' }, 'and the audit says so')
  t.notOk(
    (await store.tail({ limit: 10 })).some(({ action }) => action === 'old'),
    'old audit entries are forgotten',
  )
  t.equal(await cleanUp({ store, config, ...options }), 0, 'a second turn finds nothing')
})

t.test('a folder of logs with other files in it keeps them', async t => {
  const dataDir = t.testdir()
  mkdirSync(join(dataDir, 'access-log'))
  writeFileSync(join(dataDir, 'access-log/notes.txt'), '')
  const store = await openSqliteStore(join(dataDir, 'preau.db'))
  t.teardown(() => store.close())
  t.equal(await cleanUp({ store, config: configSchema.parse({ dataDir }), ...options }), 0)
  t.ok(existsSync(join(dataDir, 'access-log/notes.txt')))
})
