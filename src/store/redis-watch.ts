/**
 * Tells of commits made anywhere: by the messages of Redis, and, since those may be lost, by a look at the counter of
 * commits every two seconds and after each new connection.
 */
import { ChangeSignal } from './change-signal.ts'
import type { RedisConnector } from './redis-connect.ts'
import { RedisLink } from './redis-link.ts'

const LOOK_EVERY_MS = 2_000

export interface WatchOptions {
  readonly connector: RedisConnector
  readonly timeoutMs: number
  readonly channel: string
  /** Reads the counter of commits; rejects where Redis does not answer. */
  readonly readSeq: () => Promise<number>
}

export class RedisWatch {
  readonly #options: WatchOptions
  readonly #signal = new ChangeSignal()
  #subscriber: RedisLink | undefined
  #timer: NodeJS.Timeout | undefined
  /** The counter as it was when those who watch were told last. */
  #seen = 0

  constructor(options: WatchOptions) {
    this.#options = options
  }

  listen(onChange: () => void): () => void {
    const stop = this.#signal.listen(onChange)
    if (this.#subscriber === undefined) this.#start()
    return () => {
      stop()
      if (!this.#signal.isHeard) void this.#stop()
    }
  }

  /** A commit of this process. */
  told(seq: number): void {
    this.#seen = Math.max(this.#seen, seq)
    this.#signal.raise()
  }

  /** The counter as a new connection finds it, maybe lower than before: whoever watches reads again where it differs. */
  found(seq: number): void {
    if (seq === this.#seen) return
    this.#seen = seq
    this.#signal.raise()
  }

  /** There was a time without a connection. */
  raise(): void {
    this.#signal.raise()
  }

  async close(): Promise<void> {
    await this.#stop()
    this.#signal.close()
  }

  #start(): void {
    const { connector, timeoutMs, channel } = this.#options
    let isFirst = true
    this.#subscriber = new RedisLink(connector, {
      timeoutMs,
      attempts: 1,
      prepare: async redis => {
        redis.on('message', (_channel: string, seq: string) => this.told(Number(seq)))
        await redis.subscribe(channel)
      },
      onUp: () => {
        if (isFirst) void this.#look()
        else this.raise()
        isFirst = false
      },
    })
    this.#timer = setInterval(() => {
      void this.#look()
      // A connection that has silently died hears nothing, and would not say so.
      this.#subscriber?.call('PING', []).catch(() => undefined)
    }, LOOK_EVERY_MS)
  }

  async #look(): Promise<void> {
    try {
      this.found(await this.#options.readSeq())
    } catch {
      // The next connection tells.
    }
  }

  async #stop(): Promise<void> {
    clearInterval(this.#timer)
    const subscriber = this.#subscriber
    this.#subscriber = undefined
    await subscriber?.close()
  }
}
