/** How long something takes, counted in a few buckets: a look-up and two additions a time. */
import type { MetricName, Sample } from '../metrics.ts'

export interface HistogramOptions {
  readonly name: MetricName
  readonly labels?: Readonly<Record<string, string>>
  /** Seconds, ascending. */
  readonly bounds: readonly number[]
}

export class Histogram {
  readonly #options: HistogramOptions
  /** By the first bound that was kept; the last one is for those that kept none. */
  readonly #counts: number[]
  #sum = 0

  constructor(options: HistogramOptions) {
    this.#options = options
    this.#counts = Array.from({ length: options.bounds.length + 1 }, () => 0)
  }

  add(seconds: number): void {
    const { bounds } = this.#options
    let i = 0
    while (i < bounds.length && seconds > (bounds[i] ?? Infinity)) i++
    this.#counts[i] = (this.#counts[i] ?? 0) + 1
    this.#sum += seconds
  }

  /** As Prometheus has it: each bucket holds those below it too. */
  samples(): Sample[] {
    const { name, labels = {}, bounds } = this.#options
    let count = 0
    const buckets = this.#counts.map((own, i): Sample => {
      count += own
      const le = String(bounds[i] ?? '+Inf')
      return { name, part: 'bucket', labels: { ...labels, le }, value: count }
    })
    return [
      ...buckets,
      { name, part: 'sum', labels, value: this.#sum },
      { name, part: 'count', labels, value: count },
    ]
  }
}
