/** How much a counter has grown within a time, from what it stood at now and then. */

export class RecentCount {
  readonly #windowMs: number
  #last: number | undefined
  /** As many as there were looks that saw it grow, within the window. */
  #growths: { readonly at: number; readonly by: number }[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** `total`: where it stands; a smaller one than before has begun anew. `now`: of `performance.now()`. */
  add(total: number, now: number): number {
    const before = this.#last ?? total
    const by = total >= before ? total - before : total
    this.#last = total
    if (by > 0) this.#growths.push({ at: now, by })
    this.#growths = this.#growths.filter(({ at }) => now - at < this.#windowMs)
    return this.#growths.reduce((sum, growth) => sum + growth.by, 0)
  }
}
