/** What the load generator tells of a round, and how it comes by it: so many pieces of work, so many at a time. */

/** A silence that no proxy under measurement may need. */
export const TIMEOUT_MS = 30_000

/** `count` operations in `seconds`; p50 and p99 of their durations, in milliseconds. */
export interface Figures {
  readonly count: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

/** Where the proxy listens, and the authority that it is asked for. */
export interface Aim {
  readonly port: number
  readonly authority: string
}

class Stopwatch {
  readonly #durations: number[] = []
  readonly #started = performance.now()

  async time(work: () => Promise<void>): Promise<void> {
    const before = performance.now()
    await work()
    this.#durations.push(performance.now() - before)
  }

  figures(): Figures {
    const seconds = (performance.now() - this.#started) / 1_000
    const sorted = this.#durations.toSorted((a, b) => a - b)
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
    return { count: sorted.length, seconds, p50: at(0.5), p99: at(0.99) }
  }
}

/** Does `work` `count` times, `atOnce` at a time; the first failure ends it. `lane`: which of the `atOnce` does it. */
export async function repeat(
  count: number,
  atOnce: number,
  work: (number: number, lane: number) => Promise<void>,
): Promise<Figures> {
  const watch = new Stopwatch()
  let next = 0
  const lanes = Array.from({ length: atOnce }, async (_, lane) => {
    while (next < count) {
      const number = next++
      await watch.time(() => work(number, lane))
    }
  })
  await Promise.all(lanes)
  return watch.figures()
}
