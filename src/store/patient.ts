/** Asks Redis again and again while it cannot be reached, up to a limit: for work that may wait, never for a decision. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { RedisRefusal, unavailable } from './redis-error.ts'
import type { RedisLink } from './redis-link.ts'

const PAUSE_MS = 100
/** Answers that pass: it is starting, failing over, or busy. Any other answer is a refusal, which asking again does not change. */
const PASSING =
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|NOREPLICAS|UNBLOCKED)\b/

export class Patient {
  readonly #connect: () => RedisLink
  readonly #patienceMs: number
  #link: RedisLink | undefined
  #isClosed = false

  /** `connect`: called at the first question. */
  constructor(connect: () => RedisLink, patienceMs: number) {
    this.#connect = connect
    this.#patienceMs = patienceMs
  }

  /** The question may be asked more than once although it was heard. Throws PREAU_STORE_UNAVAILABLE, or why it was aborted. */
  async ask<T>(question: (link: RedisLink) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const until = performance.now() + this.#patienceMs
    for (;;) {
      signal?.throwIfAborted()
      if (this.#isClosed) throw unavailable(new Error('the store is closed'))
      try {
        return await unlessAborted(question((this.#link ??= this.#connect())), signal)
      } catch (error) {
        signal?.throwIfAborted()
        const isFinal = error instanceof RedisRefusal && !PASSING.test(error.message)
        if (isFinal || performance.now() >= until) throw unavailable(error)
        await elapsed(PAUSE_MS)
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#link?.close()
  }
}

/** Rejects at once where it is given up: who waits for a silent Redis would wait for as long as a chunk may take. */
async function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return answer
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', stop)
  try {
    return await Promise.race([answer, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
