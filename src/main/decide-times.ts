/** How long verdicts take. One in many is timed: looking at the clock twice costs as much as the verdict. */
import type { Sample } from '../metrics.ts'
import type { decide } from '../policy/verdict.ts'
import { Histogram } from './histogram.ts'

type Decide = typeof decide

/** A power of two. */
const ONE_IN = 64
const BOUNDS = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 1e-4, 1e-3, 1e-2]

export class DecideTimes {
  readonly #times = new Histogram({ name: 'preau_decide_seconds', bounds: BOUNDS })
  #calls = 0

  /** The same verdicts. The first one is timed, then one in 64. */
  time(decide: Decide): Decide {
    return (snapshot, client, target, now) => {
      if ((this.#calls++ & (ONE_IN - 1)) !== 0) return decide(snapshot, client, target, now)
      const startedAt = performance.now()
      const verdict = decide(snapshot, client, target, now)
      this.#times.add((performance.now() - startedAt) / 1_000)
      return verdict
    }
  }

  samples(): Sample[] {
    return this.#times.samples()
  }
}
