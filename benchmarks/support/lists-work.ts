/** One measured piece of work on lists, in a process of its own so that its memory is its own. Prints JSON. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openCategoryIndex } from '../../src/categories/index/category-index.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { importList, indexFile } from '../../src/categories/lists.ts'
import { readByteLines } from '../../src/categories/reading/byte-lines.ts'
import { parseListLine } from '../../src/categories/reading/list-line.ts'
import { suffixes, type Host } from '../../src/policy/host.ts'
import type { ListsVersion } from '../../src/policy/lists.ts'
import { createRandom } from './full-size-archive.ts'

const peakMegabytes = (): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1_000

const [, , work = '', dataDir = '', argument = ''] = process.argv
const readVersion = (): ListsVersion => JSON.parse(argument) as ListsVersion
const print = (answer: object): void => void process.stdout.write(JSON.stringify(answer))

async function build(): Promise<void> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  const { version, report } = await importList({
    dataDir,
    current: undefined,
    catalogue: loadCatalogue(),
    now: 1,
    path: argument,
  })
  const { user, system } = process.cpuUsage(cpu)
  print({
    version,
    seconds: (performance.now() - started) / 1_000,
    cpuSeconds: (user + system) / 1e6,
    domains: report.domains,
    hosts: report.hosts,
    indexBytes: report.indexBytes,
    peakMegabytes: peakMegabytes(),
  })
}

async function openIndex(): Promise<void> {
  const version = readVersion()
  const before = process.memoryUsage.rss()
  const started = performance.now()
  const index = await openCategoryIndex(indexFile(dataDir, version), { cacheEntries: 50_000 })
  const categories = index.lookup('www.example.com' as Host)
  const milliseconds = performance.now() - started
  const megabytes = (process.memoryUsage.rss() - before) / 1e6
  print({ milliseconds, megabytes, categories: categories.length })
}

/** All hosts of the kept lists, as a Map of strings. */
async function readMap(version: ListsVersion): Promise<Map<string, string[]>> {
  const map = new Map<string, string[]>()
  for (const { folder, counts } of version.lists) {
    if (folder === null) continue
    for (const category of Object.keys(counts)) {
      await readByteLines(
        join(dataDir, 'lists', folder, `${category}.txt`),
        (bytes, start, end) => {
          const parsed = parseListLine(bytes.toString('latin1', start, end))
          if (parsed.kind !== 'hosts') return
          for (const host of parsed.hosts) {
            const known = map.get(host)
            if (known === undefined) map.set(host, [category])
            else if (!known.includes(category)) known.push(category)
          }
        },
      )
    }
  }
  return map
}

function timed(hosts: readonly Host[], ask: (host: Host) => number): { ns: number; found: number } {
  let found = 0
  const started = process.hrtime.bigint()
  for (const host of hosts) found += ask(host)
  return { ns: Number(process.hrtime.bigint() - started) / hosts.length, found }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

async function lookUps(): Promise<void> {
  const version = readVersion()
  const file = indexFile(dataDir, version)
  const { lookup } = await openCategoryIndex(file, { cacheEntries: 0 })
  const cached = await openCategoryIndex(file, { cacheEntries: 50_000 })
  const map = await readMap(version)
  const walk = (host: Host): number => {
    let count = 0
    for (const name of suffixes(host)) count += map.get(name)?.length ?? 0
    return count
  }
  const random = createRandom(7)
  const word = (): string => random(2 ** 31).toString(36)
  const names = [...map.keys()]
  // Made as a server gets them: each string anew, so that its hash is not known yet, and just before it is asked.
  const BATCH = 4_000
  const fresh = (make: () => string): Host[] =>
    Array.from({ length: BATCH }, () => Buffer.from(make()).toString() as Host)
  const hit = (): string => `www.${names[random(names.length)]}`
  const miss = (): string => `${word()}.${word()}.com`
  const hot = Array.from({ length: 5_000 }, miss)
  for (const host of hot) cached.lookup(host as Host)
  const rows: Record<string, number[]> = {}
  const add = (name: string, ns: number): void => void (rows[name] ??= []).push(ns)
  for (let round = 0; round < 300; round++) {
    for (const [kind, make] of [
      ['Hit', hit],
      ['Miss', miss],
    ] as const) {
      const hosts = fresh(make)
      const again = hosts.map(host => Buffer.from(host).toString() as Host)
      const ours = timed(hosts, host => lookup(host).length)
      const theirs = timed(again, walk)
      if ((ours.found === 0) !== (theirs.found === 0)) throw new Error('the answers differ')
      add(`index${kind}`, ours.ns)
      add(`map${kind}`, theirs.ns)
    }
    const asked = fresh(() => hot[random(hot.length)] ?? '')
    add('lru', timed(asked, host => cached.lookup(host).length).ns)
    add('lruSame', timed(asked, host => cached.lookup(host).length).ns)
    const missed = fresh(miss)
    timed(missed, walk)
    add('mapMissSame', timed(missed, walk).ns)
  }
  let wrong = 0
  for (let i = 0; i < 10_000_000; i++) {
    if (lookup(`${word()}.${word()}.invalid` as Host).length > 0) wrong++
  }
  const medians = Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, median(all)]))
  print({ ...medians, wrong, hosts: map.size })
}

const WORK: Record<string, () => Promise<void>> = { build, open: openIndex, 'look-ups': lookUps }
await WORK[work]?.()
