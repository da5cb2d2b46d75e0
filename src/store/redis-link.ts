/**
 * One connection to Redis that is always wanted: made, checked, used by everybody at once, given up at the first doubt,
 * and made again with a bounded back-off. While there is none every call is refused at once, with the reason.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { close, type RedisConnector } from './redis-connect.ts'
import { RedisRefusal, RedisSilence, unavailable, withoutCommand } from './redis-error.ts'
import type { Script } from './redis-scripts.ts'

export interface LinkOptions {
  /** How long a call may take, and how long all the steps of connecting may. */
  readonly timeoutMs: number
  /** Makes sure that this is the Redis that is meant; what it throws is the reason that calls are given. */
  readonly prepare: (redis: Redis) => Promise<void>
  /** Called each time that the connection stands (again). */
  readonly onUp: () => void
  /** After so many attempts `firstAttempts` settles. */
  readonly attempts: number
}

export type Argument = string | number | Buffer

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000
/** Calls that wait at once: when Redis hangs, clicks must not fill the memory. */
const MAX_WAITING = 10_000
/**
 * What a server says that is not, or not any more, the one to talk to: the next connection looks for it anew. Redis 6
 * puts the error of a script behind words of its own.
 */
const WRONG_SERVER = /(?:^|: -)(?:READONLY|LOADING|MASTERDOWN|MOVED|CLUSTERDOWN|NOAUTH|UNBLOCKED)\b/

export class RedisLink {
  readonly #connector: RedisConnector
  readonly #options: LinkOptions
  readonly #closing = new AbortController()
  readonly #first = Promise.withResolvers<void>()
  readonly #running: Promise<void>
  #attempt = new AbortController()
  #redis: Redis | undefined
  #reason: unknown = new Error('still connecting')
  #waiting = 0
  #epoch = 0
  #retryMs = FIRST_RETRY_MS

  constructor(connector: RedisConnector, options: LinkOptions) {
    this.#connector = connector
    this.#options = options
    this.#first.promise.catch(() => undefined)
    this.#running = this.#run()
  }

  /** Which connection is in use: another number is another one. */
  get epoch(): number {
    return this.#epoch
  }

  /** Resolves when the connection stands; rejects with the reason when the first attempts have failed. */
  get firstAttempts(): Promise<void> {
    return this.#first.promise
  }

  /** Rejects with a `RedisRefusal`, a `RedisSilence`, or PREAU_STORE_UNAVAILABLE where it was not even sent. */
  call(command: string, args: readonly Argument[]): Promise<unknown> {
    return this.#send(redis => redis.call(command, [...args]))
  }

  /** As `call`; texts come back as bytes. */
  callBuffer(command: string, args: readonly Argument[]): Promise<unknown> {
    return this.#send(redis => redis.callBuffer(command, [...args]))
  }

  async run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    try {
      return await this.call('EVALSHA', [script.sha, keys.length, ...keys, ...args])
    } catch (error) {
      if (!(error instanceof RedisRefusal && error.message.startsWith('NOSCRIPT'))) throw error
      return this.call('EVAL', [script.text, keys.length, ...keys, ...args])
    }
  }

  /** The connection is not to be trusted any more: the calls under way fail, and the next one is made. */
  giveUp(reason: Error): void {
    this.#redis = undefined
    this.#reason = reason
    this.#attempt.abort(reason)
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the store is closed'))
    this.giveUp(new Error('the store is closed'))
    await this.#running
  }

  async #send(give: (redis: Redis) => Promise<unknown>): Promise<unknown> {
    const redis = this.#redis
    if (redis === undefined) throw unavailable(this.#reason)
    if (this.#waiting >= MAX_WAITING) throw unavailable(new Error('too many calls wait'))
    this.#waiting += 1
    try {
      return await this.#limit(redis, give(redis))
    } catch (error) {
      if (!isReply(error)) throw new RedisSilence(this.#redis === redis ? error : this.#reason)
      if (WRONG_SERVER.test(error.message) && this.#redis === redis)
        this.giveUp(withoutCommand(error))
      throw new RedisRefusal(error.message)
    } finally {
      this.#waiting -= 1
    }
  }

  #limit(redis: Redis, answer: Promise<unknown>): Promise<unknown> {
    const { timeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const late = (): void => {
        const reason = new Error(`no answer from Redis within ${timeoutMs} ms`)
        if (this.#redis === redis) this.giveUp(reason)
        reject(reason)
      }
      let turn: NodeJS.Immediate | undefined
      // What has come while this thread was busy is read before the time is judged.
      const timer = setTimeout(() => {
        turn = setImmediate(() => (turn = setImmediate(late)))
      }, timeoutMs)
      void answer.then(resolve, reject).finally(() => {
        clearTimeout(timer)
        clearImmediate(turn)
      })
    })
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing
    for (let attempt = 1; !signal.aborted; attempt++) {
      this.#reason = withoutCommand(await this.#live(signal).catch((error: unknown) => error))
      this.#redis = undefined
      if (attempt >= this.#options.attempts || signal.aborted) this.#first.reject(this.#reason)
      // Not all processes at the same moment.
      const pauseMs = this.#retryMs * (0.5 + Math.random() / 2)
      await wait(pauseMs, undefined, { signal }).catch(() => undefined)
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
    }
  }

  /** The life of one connection; answers or throws the reason of its end. */
  async #live(closing: AbortSignal): Promise<unknown> {
    const attempt = new AbortController()
    this.#attempt = attempt
    const stop = (): void => attempt.abort(closing.reason)
    closing.addEventListener('abort', stop)
    const { timeoutMs, prepare, onUp } = this.#options
    const late = new Error(`no answer from Redis within ${timeoutMs} ms`)
    const timer = setTimeout(() => attempt.abort(late), timeoutMs)
    let redis: Redis | undefined
    try {
      const made = await this.#connector.connect(attempt.signal)
      redis = made.redis
      await made.ready
      const ended = made.ended.then(reason => Promise.reject(reason as Error))
      await Promise.race([prepare(redis), ended])
      clearTimeout(timer)
      this.#epoch += 1
      this.#redis = redis
      this.#retryMs = FIRST_RETRY_MS
      this.#first.resolve()
      onUp()
      return await made.ended
    } catch (error) {
      this.#connector.turn()
      throw error
    } finally {
      clearTimeout(timer)
      closing.removeEventListener('abort', stop)
      if (redis !== undefined) close(redis)
    }
  }
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError'
}
