/** A time that is up at some moment, which may come nearer and never goes away. Of the monotonic clock: no jump moves it. */
export class Deadline {
  #at = Infinity
  #timer: NodeJS.Timeout | undefined
  readonly #isUp: Promise<void>
  #ring: () => void = () => undefined

  constructor() {
    this.#isUp = new Promise(resolve => (this.#ring = resolve))
  }

  /** Resolves when the time is up. */
  get isUp(): Promise<void> {
    return this.#isUp
  }

  get leftMs(): number {
    return Math.max(0, this.#at - performance.now())
  }

  /** Up in `ms` at the latest. */
  bring(ms: number): void {
    const at = performance.now() + ms
    if (at >= this.#at) return
    this.#at = at
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#ring, ms)
  }

  clear(): void {
    clearTimeout(this.#timer)
  }
}
