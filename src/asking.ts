/**
 * One question at a time to another process, with an answer that may never come. However many ask, one question is under
 * way: a process that hangs does not find a heap of them when it wakes, and no answer has to be told from another.
 */
export class Asking<T> {
  readonly #send: () => void
  readonly #patienceMs: number
  #isOwed = false
  #waiting: Promise<T | undefined> | undefined
  #settle: (answer: T | undefined) => void = () => undefined

  /** `send` puts the question; `answer` is to be called with what comes back. */
  constructor(send: () => void, patienceMs: number) {
    this.#send = send
    this.#patienceMs = patienceMs
  }

  /** The answer, or undefined when it has not come in time; who asks meanwhile waits for the same one. */
  ask(): Promise<T | undefined> {
    this.#waiting ??= new Promise(resolve => {
      const timer = setTimeout(() => this.#settle(undefined), this.#patienceMs)
      this.#settle = answer => {
        clearTimeout(timer)
        this.#waiting = undefined
        resolve(answer)
      }
      if (this.#isOwed) return
      this.#isOwed = true
      this.#send()
    })
    return this.#waiting
  }

  answer(answer: T): void {
    this.#isOwed = false
    this.#settle(answer)
  }

  /** Nothing will come any more. */
  giveUp(): void {
    this.#isOwed = false
    this.#settle(undefined)
  }
}
