/** What does one verdict cost, by its reason? The real index when the UT1 snapshot is there, else the starter lists. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadCatalogue } from '../src/categories/catalogue.ts'
import { openCategoryIndex } from '../src/categories/index/category-index.ts'
import { buildStarter, importList, indexFile } from '../src/categories/lists.ts'
import { createAddressJudge } from '../src/policy/address.ts'
import { DEFAULT_POLICY } from '../src/policy/default-policy.ts'
import type { Grant } from '../src/policy/grant.ts'
import { parseAbsoluteForm, parseAuthority, parseHost, type Host } from '../src/policy/host.ts'
import { parsePolicy } from '../src/policy/policy-document.ts'
import { buildSnapshot, type Snapshot } from '../src/policy/snapshot.ts'
import { ALLOW_REASONS, decide, REFUSAL_REASONS } from '../src/policy/verdict.ts'
import { median } from './support/cpu.ts'
import { SNAPSHOT } from './support/full-size-archive.ts'
import { report } from './support/report.ts'

const TIMES = 200_000
const ROUNDS = 7
const RULES = 200
const GRANTS = 50

const host = (name: string): Host => parseHost(name) as Host
const now = Date.parse('2026-11-23T10:00:00+01:00')
const catalogue = loadCatalogue()

/** A city at work: another school at night, one where little is open, rules and grants. */
const [template] = DEFAULT_POLICY.profiles
const room = (name: string, profile: string, network: string) => ({
  name,
  profile,
  networks: [network],
})
const busy = parsePolicy(
  {
    ...DEFAULT_POLICY,
    profiles: [
      ...DEFAULT_POLICY.profiles,
      { ...template, id: 'night', hours: [{ days: ['sun'], from: '08:00', to: '09:00' }] },
      { ...template, id: 'exam', mode: 'allow-only' },
    ],
    sites: [
      ...DEFAULT_POLICY.sites,
      {
        uai: '0000001B',
        name: 'École mesurée',
        rooms: [room('Nuit', 'night', '203.0.113.0/26'), room('Examen', 'exam', '203.0.113.64/26')],
      },
    ],
    rules: [
      { host: 'opened.example', action: 'allow' },
      { host: 'closed.example', action: 'block' },
      ...Array.from({ length: RULES - 2 }, (_, i) => ({ host: `r${i}.example`, action: 'block' })),
    ],
  },
  catalogue,
)
const grants = Array.from({ length: GRANTS }, (_, i): Grant => ({
  id: `g${i}`,
  host: host(`granted${i}.example`),
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'bench',
  at: now,
  until: null,
}))

const dataDir = mkdtempSync(join(tmpdir(), 'preau-bench-'))
process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }))
const starter = await buildStarter({ dataDir, current: undefined, catalogue, now: 0 })
const isReal = existsSync(SNAPSHOT)
const path = fileURLToPath(SNAPSHOT)
const lists = isReal
  ? (await importList({ dataDir, current: starter, path, catalogue, now: 0 })).version
  : starter

async function snapshotOf(cacheEntries: number, isBusy: boolean): Promise<Snapshot> {
  const { lookup } = await openCategoryIndex(indexFile(dataDir, lists), { cacheEntries })
  return buildSnapshot({
    policy: isBusy ? busy : DEFAULT_POLICY,
    grants: isBusy ? grants : [],
    catalogue,
    categories: lookup,
    addresses: createAddressJudge([]),
  })
}

const kept = await snapshotOf(50_000, true)
const asked = await snapshotOf(0, true)
const plain = await snapshotOf(50_000, false)
const PUPIL = '10.1.2.3'

/** The reason, the host, and where it differs: the client, the snapshot, a word more. */
type Row = readonly [string, string, { from?: string; snapshot?: Snapshot; note?: string }?]
const rows: readonly Row[] = [
  ['own-host', 'preau.internal'],
  ['unknown-network', 'www.example.org', { from: '198.51.100.1' }],
  ['never-grantable', 'www.pornhub.com'],
  ['never-grantable', 'www.pornhub.com', { snapshot: asked, note: 'index asked each time' }],
  ['non-public-address', '192.168.1.1'],
  ['grant', 'www.granted7.example'],
  ['local-allow', 'www.opened.example'],
  ['local-block', 'www.closed.example'],
  ['closed-hours', 'www.example.org', { from: '203.0.113.1' }],
  ['address', '8.8.8.8'],
  ['allow-only', 'www.example.org', { from: '203.0.113.65' }],
  ['blocked-category', 'www.miniclip.com'],
  ['blocked-category', 'www.miniclip.com', { snapshot: asked, note: 'index asked each time' }],
  ['blocked-category', 'www-miniclip-com.translate.goog', { note: 'seen through a translator' }],
  ['warned-category', 'chatgpt.com'],
  ['default', 'www.example.org'],
  ['default', 'www.example.org', { snapshot: asked, note: 'index asked each time' }],
  ['default', 'www.example.org', { snapshot: plain, note: 'a policy without rules and grants' }],
]
const reasons = [...ALLOW_REASONS, ...REFUSAL_REASONS]
const missing = reasons.find(reason => !rows.some(([r]) => r === reason))
if (missing !== undefined) throw new Error(`no row for the reason ${missing}`)

/** Nanoseconds of CPU of one call. */
function cost(work: () => unknown): number {
  const rounds = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage()
    for (let i = 0; i < TIMES; i++) work()
    const { user, system } = process.cpuUsage(before)
    return ((user + system) * 1_000) / TIMES
  })
  return Math.round(median(rounds))
}

const figures = rows.map(([reason, name, { from = PUPIL, snapshot = kept, note } = {}]) => {
  const target = { host: host(name), port: 443 }
  const client = snapshot.networks(host(from))
  const verdict = decide(snapshot, client, target, now)
  if (verdict.reason !== reason) throw new Error(`${name} is ${verdict.reason}, not ${reason}`)
  return {
    what: note === undefined ? reason : `${reason}, ${note}`,
    'CPU ns': cost(() => decide(snapshot, client, target, now)),
  }
})
const ip = host(PUPIL)
report(
  `decide() by reason, ${isReal ? 'UT1 snapshot' : 'starter lists'}, ${RULES} rules, ${GRANTS} grants, categories in the LRU; median of ${ROUNDS} x ${TIMES}`,
  [],
  [
    ...figures,
    { what: 'beside it: the client of an address', 'CPU ns': cost(() => kept.networks(ip)) },
    {
      what: 'beside it: the target of a CONNECT parsed',
      'CPU ns': cost(() => parseAuthority('www.example.org:443')),
    },
    {
      what: 'beside it: an absolute address parsed',
      'CPU ns': cost(() => parseAbsoluteForm('http://www.example.org/a/page?with=query')),
    },
  ],
)
