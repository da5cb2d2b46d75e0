/** Asks Redis again and again while it cannot be reached, up to a limit: for work that may wait, never for a decision. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Cluster, Redis } from 'ioredis'
import { causeOf, PreauError } from '../errors.ts'

const PAUSE_MS = 100
/** Answers that pass: it is starting, failing over, or busy. Any other answer is a refusal, which asking again does not change. */
const PASSING = /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|NOREPLICAS)\b/

export class Patient {
  readonly #connect: () => Redis | Cluster
  readonly #patienceMs: number
  #client: Redis | Cluster | undefined
  #isClosed = false

  constructor(connect: () => Redis | Cluster, patienceMs: number) {
    this.#connect = connect
    this.#patienceMs = patienceMs
  }

  /** The question may be asked more than once although it was heard. Throws PREAU_STORE_UNAVAILABLE. */
  async ask<T>(question: (client: Redis | Cluster) => Promise<T>): Promise<T> {
    const until = performance.now() + this.#patienceMs
    for (;;) {
      try {
        if (this.#isClosed) throw new Error('closed')
        return await question((this.#client ??= this.#connect()))
      } catch (error) {
        if (this.#isClosed || isRefusal(error) || performance.now() >= until) {
          throw new PreauError(
            'PREAU_STORE_UNAVAILABLE',
            { detail: causeOf(error) },
            { cause: error },
          )
        }
        await elapsed(PAUSE_MS)
      }
    }
  }

  close(): void {
    this.#isClosed = true
    this.#client?.disconnect()
  }
}

const isRefusal = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ReplyError' && !PASSING.test(error.message)
