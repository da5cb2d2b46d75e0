/** Gathers the metrics of the workers for the admin app, in the supervisor: the one process that outlives the others. */
import type { EventEmitter } from 'node:events'
import { Asking } from '../asking.ts'
import type { FromChild, Role, ToChild } from '../messages.ts'
import { isSummed, type MetricName, type Sample } from '../metrics.ts'

/** How long a scrape waits for a worker. */
const PATIENCE_MS = 1_000

/** What is needed of a `ChildProcess`. */
export type Followed = Pick<EventEmitter, 'on' | 'once'> & {
  readonly connected: boolean
  send(message: ToChild, onSent: () => void): unknown
}

/** What the supervisor knows of a process that it starts. */
export interface Origin {
  readonly role: Role
  /** Of a worker among the workers, from 1: the one that replaces it has the same. */
  readonly place: number
  /** It stands in for one that died, and not for one that was told to leave. */
  readonly isRestart: boolean
}

/** A process that is followed. */
export interface Following {
  /** It has been replaced: its counters still count, its gauges are no longer those of its place. */
  drains(): void
}

type Sums = Map<string, Sample>

/** A worker process that runs. */
interface Worker {
  readonly place: number
  readonly asking: Asking<readonly Sample[]>
  /** What it told last. */
  samples: readonly Sample[]
  isDraining: boolean
}

export class Gathering {
  #configured: number
  readonly #patienceMs: number
  readonly #running = new Set<Worker>()
  // A counter must not go back when its process ends: what each had told stays in the sum, and Prometheus has seen no
  // more than that. What it counted since then is lost with it, unless it had the time for a last word.
  readonly #ended: Sums = new Map()
  readonly #restarts = { proxy: 0, admin: 0 }

  /** `configured`: how many workers there should be. */
  constructor(configured: number, patienceMs = PATIENCE_MS) {
    this.#configured = configured
    this.#patienceMs = patienceMs
  }

  set configured(workers: number) {
    this.#configured = workers
  }

  /** Follows a process from its start on. */
  follow({ role, place, isRestart }: Origin, process: Followed): Following {
    const worker: Worker = {
      place,
      asking: new Asking(() => tell(process, { type: 'tell-metrics' }), this.#patienceMs),
      samples: [],
      isDraining: false,
    }
    process.on('message', (message: FromChild) => {
      if (message.type === 'ready') {
        if (isRestart) this.#restarts[role] += 1
        if (role === 'proxy') this.#running.add(worker)
      } else if (message.type === 'metrics') {
        worker.samples = message.samples
        worker.asking.answer(message.samples)
      } else if (message.type === 'ask-metrics') {
        void this.gather().then(samples => tell(process, { type: 'gathered-metrics', samples }))
      }
    })
    process.once('exit', () => this.#end(worker))
    return { drains: () => void (worker.isDraining = true) }
  }

  #end(worker: Worker): void {
    if (!this.#running.delete(worker)) return
    for (const sample of worker.samples) if (isSummed(sample)) addTo(this.#ended, sample)
    // Whoever waits for it need not wait to the end. What may still arrive of it is counted no more.
    worker.asking.giveUp()
  }

  /** All that the workers tell within the time: counters added up, gauges with the place of their worker. */
  async gather(): Promise<Sample[]> {
    const asked = [...this.#running]
    const answers = await Promise.all(asked.map(({ asking }) => asking.ask()))
    // From here on in one go: a worker is either among those that run or among those that have ended.
    const sums: Sums = new Map(this.#ended)
    for (const { samples } of this.#running) {
      for (const sample of samples) if (isSummed(sample)) addTo(sums, sample)
    }
    const answered = asked.filter((worker, i) => answers[i] && this.#running.has(worker))
    const silent = asked.filter((worker, i) => !answers[i] && this.#running.has(worker))
    const inPlace = answered.filter(({ isDraining }) => !isDraining)
    return [
      ...sums.values(),
      ...inPlace.flatMap(gaugesOf),
      ...gaugesOfDraining(answered.filter(({ isDraining }) => isDraining)),
      ...this.#own(silent.filter(({ isDraining }) => !isDraining).length),
    ]
  }

  #own(silent: number): Sample[] {
    const draining = [...this.#running].filter(({ isDraining }) => isDraining).length
    return [
      { name: 'preau_workers', value: this.#configured },
      { name: 'preau_workers_up', value: this.#running.size - draining },
      { name: 'preau_workers_draining', value: draining },
      { name: 'preau_workers_silent', value: silent },
      ...(['proxy', 'admin'] as const).map((role): Sample => ({
        name: 'preau_restarts_total',
        labels: { role },
        value: this.#restarts[role],
      })),
    ]
  }
}

const gaugesOf = ({ place, samples }: Worker): Sample[] =>
  samples
    .filter(sample => !isSummed(sample))
    .map(sample => ({ ...sample, labels: { worker: String(place), ...sample.labels } }))

/** What of those that drain says when they are done, and what they still take; summed, for they have no place any more. */
const TOLD_OF_DRAINING = new Set<MetricName>([
  'preau_exchanges_open',
  'preau_connections_open',
  'preau_resident_memory_bytes',
])

function gaugesOfDraining(workers: readonly Worker[]): Sample[] {
  const sums: Sums = new Map()
  for (const sample of workers.flatMap(({ samples }) => samples)) {
    if (TOLD_OF_DRAINING.has(sample.name))
      addTo(sums, { ...sample, labels: { worker: 'draining', ...sample.labels } })
  }
  return [...sums.values()]
}

function addTo(sums: Sums, sample: Sample): void {
  const { name, part, labels, value } = sample
  const key = JSON.stringify([name, part, labels])
  sums.set(key, { ...sample, value: value + (sums.get(key)?.value ?? 0) })
}

/** A process that has just gone hears nothing, and that is no error. */
function tell(process: Followed, message: ToChild): void {
  if (process.connected) process.send(message, () => undefined)
}
