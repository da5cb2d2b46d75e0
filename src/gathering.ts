/** Gathers the metrics of the workers for the admin app, in the supervisor: the one process that outlives the others. */
import type { EventEmitter } from 'node:events'
import { Asking } from './asking.ts'
import type { FromChild, Start, ToChild } from './child.ts'
import { isSummed, type Sample } from './metrics.ts'

/** How long a scrape waits for a worker. */
const PATIENCE_MS = 1_000

/** What is needed of a `ChildProcess`. */
export type Followed = Pick<EventEmitter, 'on' | 'once'> & {
  readonly connected: boolean
  send(message: ToChild, onSent: () => void): unknown
}

type Role = Start['role']
type Sums = Map<string, Sample>

/** A worker process that runs. */
interface Worker {
  /** Its place among the workers, from 1: the one that replaces it has the same. */
  readonly place: number
  readonly asking: Asking<readonly Sample[]>
  /** What it told last. */
  samples: readonly Sample[]
}

export class Gathering {
  readonly #configured: number
  readonly #patienceMs: number
  readonly #running = new Set<Worker>()
  // A counter must not go back when its process dies: what each had told stays in the sum, and Prometheus has seen no
  // more than that. What it counted since then is lost with it.
  readonly #ended: Sums = new Map()
  readonly #starts = { proxy: 0, admin: 0 }

  /** `configured`: how many workers there should be. */
  constructor(configured: number, patienceMs = PATIENCE_MS) {
    this.#configured = configured
    this.#patienceMs = patienceMs
  }

  /** Follows a process from its start on. `place`: of a worker among the workers, from 1. */
  follow(role: Role, place: number, process: Followed): void {
    const worker: Worker = {
      place,
      asking: new Asking(() => tell(process, { type: 'tell-metrics' }), this.#patienceMs),
      samples: [],
    }
    process.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        this.#starts[role] += 1
        if (role === 'proxy') this.#running.add(worker)
      } else if (message.type === 'metrics') {
        worker.samples = message.samples
        worker.asking.answer(message.samples)
      } else if (message.type === 'ask-metrics') {
        void this.gather().then(samples => tell(process, { type: 'gathered-metrics', samples }))
      }
    })
    process.once('exit', () => this.#end(worker))
  }

  #end(worker: Worker): void {
    if (!this.#running.delete(worker)) return
    worker.samples.forEach(sample => addTo(this.#ended, sample))
    // Whoever waits for it need not wait to the end. What may still arrive of it is counted no more.
    worker.asking.giveUp()
  }

  /** All that the workers tell within the time: counters added up, gauges with the place of their worker. */
  async gather(): Promise<Sample[]> {
    const asked = [...this.#running]
    const answers = await Promise.all(asked.map(({ asking }) => asking.ask()))
    // From here on in one go: a worker is either among those that run or among those that have ended.
    const sums: Sums = new Map(this.#ended)
    for (const { samples } of this.#running) samples.forEach(sample => addTo(sums, sample))
    const answered = asked.filter((worker, i) => answers[i] && this.#running.has(worker))
    const silent = asked.filter((worker, i) => !answers[i] && this.#running.has(worker))
    return [...sums.values(), ...answered.flatMap(gaugesOf), ...this.#own(silent.length)]
  }

  #own(silent: number): Sample[] {
    const { proxy, admin } = this.#starts
    const restarts = { proxy: Math.max(0, proxy - this.#configured), admin: Math.max(0, admin - 1) }
    return [
      { name: 'preau_workers', value: this.#configured },
      { name: 'preau_workers_up', value: this.#running.size },
      { name: 'preau_workers_silent', value: silent },
      ...(['proxy', 'admin'] as const).map((role): Sample => ({
        name: 'preau_restarts_total',
        labels: { role },
        value: restarts[role],
      })),
    ]
  }
}

const gaugesOf = ({ place, samples }: Worker): Sample[] =>
  samples
    .filter(sample => !isSummed(sample))
    .map(sample => ({ ...sample, labels: { worker: String(place), ...sample.labels } }))

function addTo(sums: Sums, sample: Sample): void {
  if (!isSummed(sample)) return
  const { name, part, labels, value } = sample
  const key = JSON.stringify([name, part, labels])
  sums.set(key, { ...sample, value: value + (sums.get(key)?.value ?? 0) })
}

/** A process that has just gone hears nothing, and that is no error. */
function tell(process: Followed, message: ToChild): void {
  if (process.connected) process.send(message, () => undefined)
}
