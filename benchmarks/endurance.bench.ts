/** Does anything grow or stall under 500 new tunnels a second? `npm run bench -- endurance --minutes 10` */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { NAME } from './support/contestants/contestant.ts'
import { makeHome } from './support/contestants/preau.ts'
import {
  cpuMicros,
  descriptors,
  proportionalKilobytes,
  residentKilobytes,
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

interface Seen {
  readonly p99: number
  readonly max: number
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
})
process.once('exit', () => worker.kill())
try {
  const [{ port }] = (await once(worker, 'message')) as [{ port: number }]
  const pid = worker.pid ?? 0
  const reportOf = async (): Promise<Seen> => {
    worker.send('report')
    const [seen] = (await once(worker, 'message')) as [Seen]
    return seen
  }
  const load = (seconds: number) =>
    surroundings.load('paced', {
      port,
      authority: `${NAME}:${surroundings.originPort}`,
      perSecond: PER_SECOND,
      seconds,
    })
  const opened = await load(WARM_UP_SECONDS)
  // What the worker saw until now is forgotten with this.
  await reportOf()
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
  const seen = await reportOf()
  const micros = (cpuMicros(pid) - startMicros) / figures.count
  const errors = opened.failures + figures.failures
  const of = (key: 'rss' | 'pss'): number =>
    slope(samples.map(each => ({ x: each.x, y: each[key] })))
  const text = (value: number | undefined, digits = 1): string => (value ?? 0).toFixed(digits)
  report(
    `${PER_SECOND} new tunnels a second for ${minutes} min (${home.lists})`,
    [],
    [
      { what: 'tunnels', figure: figures.count },
      { what: 'errors', figure: errors === 0 ? '0' : `${errors}: ${opened.why || figures.why}` },
      { what: 'per second', figure: text(figures.count / figures.seconds) },
      { what: 'CPU µs per tunnel', figure: Math.round(micros) },
      { what: 'p50 / p99 ms of a tunnel', figure: `${text(figures.p50)} / ${text(figures.p99)}` },
      { what: 'event loop p99 / max ms', figure: `${text(seen.p99)} / ${text(seen.max)}` },
      {
        what: 'RSS MB, first / last',
        figure: `${text(samples[0]?.rss)} / ${text(samples.at(-1)?.rss)}`,
      },
      { what: 'RSS slope, MB/min', figure: text(of('rss'), 2) },
      { what: 'PSS slope, MB/min', figure: text(of('pss'), 2) },
      { what: 'descriptors, first / last', figure: `${startDescriptors} / ${descriptors(pid)}` },
    ],
  )
  if (errors > 0) throw new Error(`${errors} tunnels failed: ${opened.why || figures.why}`)
} finally {
  await Promise.all([stop(worker), surroundings.stop()])
  rmSync(home.dir, { recursive: true, force: true })
}
