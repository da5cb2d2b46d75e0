/**
 * Waits until replicas have what was written (`WAIT`). The command holds up its connection, so that it is asked once
 * for all that were written before it, and never twice at a time.
 */
import { uncertain, writingError } from './redis-error.ts'
import type { RedisLink } from './redis-link.ts'

interface Round {
  readonly acknowledged: number
  readonly epoch: number
}

export class RedisReplication {
  readonly #link: RedisLink
  readonly #replicas: number
  readonly #timeoutMs: number
  #running: Promise<Round> | undefined
  #next: Promise<Round> | undefined

  /** `timeoutMs`: of the link; a round takes at most a third of it, since a write may have to wait for two. */
  constructor(link: RedisLink, replicas: number, timeoutMs: number) {
    this.#link = link
    this.#replicas = replicas
    this.#timeoutMs = Math.floor(timeoutMs / 3)
  }

  /**
   * `epoch`: the connection that has written, since replicas acknowledge to that one alone. Throws
   * PREAU_STORE_UNAVAILABLE, saying that it may have been written.
   */
  async confirm(epoch: number): Promise<void> {
    if (this.#replicas === 0) return
    const round = await this.#afterNow().catch((error: unknown) => {
      throw writingError(error)
    })
    if (round.epoch !== epoch) throw uncertain('the connection to Redis was lost')
    if (round.acknowledged >= this.#replicas) return
    throw uncertain(`${round.acknowledged} of ${this.#replicas} replicas have acknowledged`)
  }

  /** A round that begins after this moment. */
  #afterNow(): Promise<Round> {
    if (this.#running === undefined) return this.#ask()
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#ask()
      })
    return this.#next
  }

  #ask(): Promise<Round> {
    const { epoch } = this.#link
    const asked = this.#link
      .call('WAIT', [this.#replicas, this.#timeoutMs])
      .then(acknowledged => ({ acknowledged: Number(acknowledged), epoch }))
      .finally(() => {
        if (this.#running === asked) this.#running = undefined
      })
    this.#running = asked
    return asked
  }
}
