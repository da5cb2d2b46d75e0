/** How long the dials take that succeed. Why others fail is told by their exchanges. */
import type { Sample } from '../metrics.ts'
import type { Dial } from '../proxy/dial.ts'
import { Histogram } from './histogram.ts'

const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export class DialTimes {
  readonly #times = new Histogram({ name: 'preau_dial_seconds', bounds: BOUNDS })

  /** The same dial, looked at from beside: what it answers is handed on as it is. */
  time(dial: Dial): Dial {
    return (target, client, onDialled, onread) => {
      const startedAt = performance.now()
      return dial(
        target,
        client,
        (socket, error) => {
          if (socket !== undefined) this.#times.add((performance.now() - startedAt) / 1_000)
          onDialled(socket, error)
        },
        onread,
      )
    }
  }

  samples(): Sample[] {
    return this.#times.samples()
  }
}
