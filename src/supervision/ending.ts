/** The end of a process: it is told when to end, may be told again with less time, and is ended by force where it does not. */

/** Beyond the drain of the process itself. */
const KILL_MARGIN_MS = 5_000

export interface Mortal {
  /** Tells it to take no more and to end within the time. */
  tell(drainMs: number): void
  kill(): void
  /** Resolves when it has ended. */
  readonly exited: Promise<unknown>
}

export class Ending {
  readonly #mortal: Mortal
  #timer: NodeJS.Timeout | undefined
  #killAt = Infinity

  constructor(mortal: Mortal) {
    this.#mortal = mortal
    void mortal.exited.then(() => this.forget())
  }

  /** Resolves when the process has ended. A later call may shorten the time. */
  async within(drainMs: number): Promise<void> {
    const killAt = performance.now() + drainMs + KILL_MARGIN_MS
    if (killAt < this.#killAt) {
      this.forget()
      this.#killAt = killAt
      this.#mortal.tell(drainMs)
      this.#timer = setTimeout(() => this.#mortal.kill(), drainMs + KILL_MARGIN_MS)
    }
    await this.#mortal.exited
  }

  /** It is no longer ours to end it by force. */
  forget(): void {
    clearTimeout(this.#timer)
  }
}
