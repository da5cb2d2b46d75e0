/**
 * Waits until replicas have what was written (`WAIT`). The command holds up its connection, so that it is asked once
 * for all that were written before it, and never twice at a time.
 */
import { causeOf, PreauError } from '../errors.ts'
import { RedisRefusal, uncertain } from './redis-error.ts'
import type { RedisLink } from './redis-link.ts'
import { RedisReplicas } from './redis-replicas.ts'

interface Round {
  readonly acknowledged: number
  readonly required: number
  readonly epoch: number
}

const LOST = 'the connection to Redis was lost'
/** How often it is looked who is there. */
const LOOK_EVERY_MS = 2_000

export interface ReplicationOptions {
  readonly link: RedisLink
  /** How many replicas there are. */
  readonly replicas: number
  /** Of the link; a round takes at most a third of it, since a write may have to wait for two. */
  readonly timeoutMs: number
  /** After how long one that is away is not waited for. */
  readonly absentMs?: number | undefined
}

export class RedisReplication {
  readonly #link: RedisLink
  readonly #replicas: RedisReplicas
  readonly #timeoutMs: number
  readonly #isAsked: boolean
  readonly #timer: NodeJS.Timeout | undefined
  #epoch = 0
  #running: Promise<Round> | undefined
  #next: Promise<Round> | undefined

  constructor({ link, replicas, timeoutMs, absentMs }: ReplicationOptions) {
    this.#link = link
    this.#replicas = new RedisReplicas(replicas, absentMs)
    this.#timeoutMs = Math.floor(timeoutMs / 3)
    this.#isAsked = replicas > 0
    // The only one is always waited for.
    if (replicas > 1) this.#timer = setInterval(() => void this.#look(), LOOK_EVERY_MS).unref()
  }

  /**
   * `epoch`: the connection that has written, since replicas acknowledge to that one alone. Throws
   * PREAU_STORE_UNAVAILABLE, saying that it may have been written.
   */
  async confirm(epoch: number): Promise<void> {
    if (!this.#isAsked) return
    const round = await this.#afterNow().catch((error: unknown) => {
      // Refused or not even sent: what it was to wait for is written.
      throw uncertain(error instanceof PreauError ? LOST : causeOf(error), error)
    })
    if (round.epoch !== epoch) throw uncertain(LOST)
    if (round.acknowledged >= round.required) return
    throw uncertain(`${round.acknowledged} of ${round.required} replicas have acknowledged`)
  }

  close(): void {
    clearInterval(this.#timer)
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
    const asked = this.#wait().finally(() => {
      if (this.#running === asked) this.#running = undefined
    })
    this.#running = asked
    return asked
  }

  async #wait(): Promise<Round> {
    this.#follow()
    // One that has come back counts at once.
    if (this.#replicas.isReduced) await this.#look()
    const { epoch } = this.#link
    const { required } = this.#replicas
    const acknowledged = Number(await this.#link.call('WAIT', [required, this.#timeoutMs]))
    return { acknowledged, required, epoch }
  }

  async #look(): Promise<void> {
    this.#follow()
    const { epoch } = this.#link
    try {
      const [, , replicas] = (await this.#link.call('ROLE', [])) as [string, number, unknown[]]
      if (epoch === this.#link.epoch) this.#replicas.saw(replicas.length)
    } catch (error) {
      // Where it may not be asked all are waited for, always.
      if (error instanceof RedisRefusal) this.#replicas.reset()
    }
  }

  /** Another connection may lead to another server. */
  #follow(): void {
    const { epoch } = this.#link
    if (epoch === this.#epoch) return
    this.#epoch = epoch
    this.#replicas.reset()
  }
}
