/** What does one verdict cost, by its reason? The real index when the UT1 snapshot is there, else the starter lists. */
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCatalogue } from '../src/categories/catalogue.ts'
import { openCategoryIndex } from '../src/categories/index/category-index.ts'
import { buildStarter, importList, indexFile } from '../src/categories/lists.ts'
import { createAddressJudge } from '../src/policy/address.ts'
import { DEFAULT_POLICY } from '../src/policy/default-policy.ts'
import { parseHost, type Host } from '../src/policy/host.ts'
import { buildSnapshot } from '../src/policy/snapshot.ts'
import { decide } from '../src/policy/verdict.ts'
import { median } from './support/cpu.ts'

const SNAPSHOT = '../shared/data/ut1-2026-08-17.tar.gz'
const TIMES = 200_000
const ROUNDS = 7

const dataDir = mkdtempSync(join(tmpdir(), 'preau-bench-'))
const catalogue = loadCatalogue()
const starter = await buildStarter({ dataDir, current: undefined, catalogue, now: 0 })
const isReal = existsSync(SNAPSHOT)
const lists = isReal
  ? (await importList({ dataDir, current: starter, path: SNAPSHOT, catalogue, now: 0 })).version
  : starter
const open = (cacheEntries: number) =>
  openCategoryIndex(indexFile(dataDir, lists), { cacheEntries })
const snapshotOf = async (cacheEntries: number) =>
  buildSnapshot({
    policy: DEFAULT_POLICY,
    grants: [],
    catalogue,
    categories: (await open(cacheEntries)).lookup,
    addresses: createAddressJudge([]),
  })
const [cached, uncached] = [await snapshotOf(50_000), await snapshotOf(0)]
const host = (name: string): Host => parseHost(name) as Host
const client = cached.networks(host('10.1.2.3'))
const now = Date.parse('2026-11-23T10:00:00+01:00')

const rows: [string, typeof cached, string, string][] = [
  ['allowed, in the LRU', cached, 'www.example.org', 'default'],
  ['blocked category, in the LRU', cached, 'www.miniclip.com', 'blocked-category'],
  ['never grantable, in the LRU', cached, 'www.pornhub.com', 'never-grantable'],
  ['inner address', cached, '192.168.1.1', 'non-public-address'],
  ['allowed, index asked each time', uncached, 'www.example.org', 'default'],
  ['blocked category, index asked each time', uncached, 'www.miniclip.com', 'blocked-category'],
]
console.log(
  `\ndecide(), ${isReal ? 'UT1 snapshot' : 'starter lists'}, median of ${ROUNDS} x ${TIMES}`,
)
console.table(
  rows.map(([name, snapshot, asked, reason]) => {
    const target = { host: host(asked), port: 443 }
    if (decide(snapshot, client, target, now).reason !== reason)
      throw new Error(`${asked} is not ${reason}`)
    const rounds = Array.from({ length: ROUNDS }, () => {
      const before = process.cpuUsage()
      for (let i = 0; i < TIMES; i++) decide(snapshot, client, target, now)
      const { user, system } = process.cpuUsage(before)
      return ((user + system) * 1_000) / TIMES
    })
    return { verdict: name, 'CPU ns': Math.round(median(rounds)) }
  }),
)
