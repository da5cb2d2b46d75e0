/** How long the dials take that succeed. Why others fail is told by their exchanges. */
import type { Sample } from '../metrics.ts'
import type { Dial } from '../proxy/dial.ts'

/** Seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class DialTimes {
  /** By the first bound that a dial kept; the last one is for those that kept none. */
  readonly #counts = Array.from({ length: BOUNDS.length + 1 }, () => 0)
  #sum = 0

  /** The same dial, looked at from beside: what it answers is handed on as it is. */
  time(dial: Dial): Dial {
    return (target, onDialled, onread) => {
      const startedAt = performance.now()
      dial(
        target,
        (socket, error) => {
          if (socket !== undefined) this.#add((performance.now() - startedAt) / 1_000)
          onDialled(socket, error)
        },
        onread,
      )
    }
  }

  #add(seconds: number): void {
    let i = 0
    while (i < BOUNDS.length && seconds > (BOUNDS[i] ?? Infinity)) i++
    this.#counts[i] = (this.#counts[i] ?? 0) + 1
    this.#sum += seconds
  }

  /** As Prometheus has it: each bucket holds those below it too. */
  samples(): Sample[] {
    const name = 'preau_dial_seconds'
    let count = 0
    const buckets = this.#counts.map((own, i): Sample => {
      count += own
      return { name, part: 'bucket', labels: { le: String(BOUNDS[i] ?? '+Inf') }, value: count }
    })
    return [
      ...buckets,
      { name, part: 'sum', value: this.#sum },
      { name, part: 'count', value: count },
    ]
  }
}
