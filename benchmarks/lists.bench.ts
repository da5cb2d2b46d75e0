/** What six million domains cost: to import, to open, to keep in memory and to ask. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ListsVersion } from '../src/policy/lists.ts'
import { fullSizeArchive } from './support/full-size-archive.ts'
import { report } from './support/report.ts'

const script = fileURLToPath(new URL('support/lists-work.ts', import.meta.url))
const dataDir = mkdtempSync(join(tmpdir(), 'preau-bench-'))

function run(work: string, argument: string): unknown {
  const args = ['--max-old-space-size=6000', script, work, dataDir, argument]
  return JSON.parse(execFileSync(process.execPath, args, { maxBuffer: 2 ** 24 }).toString())
}

interface Built {
  readonly version: ListsVersion
  readonly seconds: number
  readonly cpuSeconds: number
  readonly domains: number
  readonly hosts: number
  readonly indexBytes: number
  readonly peakMegabytes: number
}

const number = (value: number, digits = 0): string =>
  value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })

try {
  const { path, isReal } = await fullSizeArchive()
  const built = run('build', path) as Built
  const argument = JSON.stringify(built.version)
  const opened = Array.from(
    { length: 5 },
    () => run('open', argument) as { milliseconds: number; megabytes: number },
  ).sort((a, b) => a.milliseconds - b.milliseconds)[2]
  const asked = run('look-ups', argument) as Record<string, number>
  const at = (name: string): number => asked[name] ?? Number.NaN
  const half = (kind: string): number => (at(`${kind}Hit`) + at(`${kind}Miss`)) / 2
  const source = isReal ? 'the UT1 snapshot and made lists' : 'made lists only, no snapshot here'
  const title = `${number(built.domains)} domains (${source}), ${number(built.hosts)} hosts, ${number(at('hosts'))} in the Map`
  report(
    title,
    [],
    [
      { what: 'import from tar.gz, s', figure: number(built.seconds, 1), target: '< 10' },
      { what: '  CPU, s', figure: number(built.cpuSeconds, 1), target: '' },
      { what: '  most memory, MB', figure: number(built.peakMegabytes), target: '<= 400' },
      {
        what: 'index, bytes a host',
        figure: number(built.indexBytes / built.hosts, 2),
        target: '<= 12',
      },
      { what: 'resident growth at open, MB', figure: number(opened?.megabytes ?? 0), target: '' },
      {
        what: 'open to first answer, ms',
        figure: number(opened?.milliseconds ?? 0),
        target: '< 300',
      },
      { what: 'look-up, index (half hits), ns', figure: number(half('index')), target: '' },
      { what: 'look-up, Map by suffix, ns', figure: number(half('map')), target: '' },
      { what: '  Map / index', figure: number(half('map') / half('index'), 1), target: '>= 3' },
      { what: 'in the LRU, a new string each time, ns', figure: number(at('lru')), target: '' },
      {
        what: '  miss of the Map / that',
        figure: number(at('mapMiss') / at('lru'), 1),
        target: '>= 10',
      },
      { what: 'in the LRU, a string asked before, ns', figure: number(at('lruSame')), target: '' },
      {
        what: '  miss of the Map, same string / that',
        figure: number(at('mapMissSame') / at('lruSame'), 1),
        target: '>= 10',
      },
      { what: 'wrong among 10 M random hosts', figure: number(at('wrong')), target: '0' },
    ],
  )
} finally {
  rmSync(dataDir, { recursive: true, force: true })
}
