/** The calls that are under way: closing waits for them and refuses the next. */
export class Calls {
  readonly #pending = new Set<Promise<unknown>>()
  readonly #refuse: () => Error
  #isClosed = false

  /** `refuse`: what calls are rejected with afterwards. */
  constructor(refuse: () => Error) {
    this.#refuse = refuse
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw this.#refuse()
    const running = work()
    this.#pending.add(running)
    try {
      return await running
    } finally {
      this.#pending.delete(running)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.allSettled(this.#pending)
  }
}
