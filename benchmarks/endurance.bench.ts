/** Does anything grow or stall under 500 new tunnels a second? `npm run bench -- endurance --minutes 10` */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { NAME } from './support/contestants/contestant.ts'
import { makeHome } from './support/contestants/preau.ts'
import {
  cpuMicros,
  descriptors,
  proportionalKilobytes,
  residentKilobytes,
  rounded,
  slope,
} from './support/cpu.ts'
import { startSurroundings, stop } from './support/processes.ts'
import { report } from './support/report.ts'

const PER_SECOND = 500
const SAMPLE_MS = 2_000
/** Code is compiled and pools are filled before anything is called growth. */
const WARM_UP_SECONDS = 20

const { values } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '10' }, json: { type: 'string' } },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new Error('--minutes takes a number greater than 0')

/** What the worker tells of its event loop (ms) and of its memory after a full collection (MB). */
interface Seen {
  readonly p99: number
  readonly max: number
}
interface Left {
  readonly heapMegabytes: number
  readonly externalMegabytes: number
}
interface Sample {
  /** Minutes. */
  readonly x: number
  /** Megabytes. */
  readonly rss: number
  readonly pss: number
}

const surroundings = await startSurroundings()
const home = await makeHome()
const worker = fork(join(import.meta.dirname, 'support/measured-worker.ts'), [home.config], {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  execArgv: ['--expose-gc'],
})
process.once('exit', () => worker.kill())
try {
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }]
  const pid = worker.pid ?? 0
  const ask = async (what: 'report' | 'collect'): Promise<unknown> => {
    worker.send(what)
    const [told] = (await once(worker, 'message')) as [unknown]
    return told
  }
  const load = (seconds: number) =>
    surroundings.load('paced', {
      port,
      authority: `${NAME}:${surroundings.originPort}`,
      perSecond: PER_SECOND,
      seconds,
    })
  const opened = await load(WARM_UP_SECONDS)
  const first = (await ask('collect')) as Left
  await wait(SAMPLE_MS)
  // What the worker saw until now is forgotten with this.
  await ask('report')
  const [startDescriptors, startMicros] = [descriptors(pid), cpuMicros(pid)]
  const started = performance.now()
  const samples: Sample[] = []
  const sample = (): void =>
    void samples.push({
      x: (performance.now() - started) / 60_000,
      rss: residentKilobytes(pid) / 1_024,
      pss: proportionalKilobytes(pid) / 1_024,
    })
  sample()
  const timer = setInterval(sample, SAMPLE_MS)
  const figures = await load(minutes * 60).finally(() => clearInterval(timer))
  const seen = (await ask('report')) as Seen
  const micros = (cpuMicros(pid) - startMicros) / figures.count
  const lastDescriptors = descriptors(pid)
  const last = (await ask('collect')) as Left
  const errors = opened.failures + figures.failures
  const half = samples.filter(({ x }) => x > minutes / 2)
  const of = (key: 'rss' | 'pss', among: readonly Sample[]): string =>
    slope(among.map(each => ({ x: each.x, y: each[key] }))).toFixed(2)
  const quarters = [0, 0.25, 0.5, 0.75, 1].map(share =>
    samples[Math.floor(share * (samples.length - 1))]?.rss.toFixed(0),
  )
  const two = (a: number, b: number): string => `${a.toFixed(1)} / ${b.toFixed(1)}`
  const rows = {
    tunnels: figures.count,
    errors,
    'per second': rounded(figures.count / figures.seconds),
    'CPU µs per tunnel': rounded(micros),
    'p50 / p99 ms of a tunnel': two(figures.p50, figures.p99),
    'event loop p99 / max ms': two(seen.p99, seen.max),
    'RSS MB, by quarters': quarters.join(' '),
    'RSS slope MB/min, all / second half': `${of('rss', samples)} / ${of('rss', half)}`,
    'PSS slope MB/min, all / second half': `${of('pss', samples)} / ${of('pss', half)}`,
    'heap MB after collection, first / last': two(first.heapMegabytes, last.heapMegabytes),
    'external MB, first / last': two(first.externalMegabytes, last.externalMegabytes),
    'descriptors, first / last': `${startDescriptors} / ${lastDescriptors}`,
  }
  report(
    `${PER_SECOND} new tunnels a second for ${minutes} min after ${WARM_UP_SECONDS} s (${home.lists})`,
    [],
    Object.entries(rows).map(([what, figure]) => ({ what, figure })),
  )
  if (errors > 0) throw new Error(`${errors} tunnels failed: ${opened.why || figures.why}`)
} finally {
  await Promise.all([stop(worker), surroundings.stop()])
  rmSync(home.dir, { recursive: true, force: true })
}
