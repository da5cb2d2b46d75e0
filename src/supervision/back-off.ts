/**
 * How long to wait before a process that died is started again. One that has served for a while comes back at once: while
 * it is away nobody is served. One that dies at its start, or soon after, comes back ever later, so that a fault that stays
 * costs neither the processor nor the log.
 */

/** A process that has served for so long has started well. */
const STABLE_MS = 2_000
const FIRST_MS = 100
/** Not longer: once the cause has gone, the service comes back by itself within this time. */
const LONGEST_MS = 10_000

export class BackOff {
  #delayMs = 0

  /** In milliseconds. `servedMs`: how long it had been ready; 0: it never was. */
  after(servedMs: number): number {
    this.#delayMs =
      servedMs >= STABLE_MS ? 0 : Math.min(Math.max(FIRST_MS, this.#delayMs * 2), LONGEST_MS)
    return this.#delayMs
  }
}
