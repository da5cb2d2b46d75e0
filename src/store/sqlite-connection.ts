/**
 * The asynchronous side of `sqlite-thread.ts`: sends calls to the thread, settles their promises, and starts a new
 * thread when one dies.
 */
import { Worker } from 'node:worker_threads'
import { causeOf, PreauError } from '../errors.ts'
import type { DatabaseOptions } from './sqlite-schema.ts'
import type { Failure, FromThread, ThreadCalls, ThreadData, ToThread } from './sqlite-thread.ts'

const ENTRY = new URL('sqlite-thread.ts', import.meta.url)
/** Calls that wait at once: when the disk hangs, clicks must not fill the memory. */
const MAX_WAITING = 10_000
const FIRST_RESTART_MS = 100
const LAST_RESTART_MS = 5_000

interface Waiting {
  readonly resolve: (value: never) => void
  readonly reject: (error: PreauError) => void
}

const unavailable = (detail: string): PreauError =>
  new PreauError('PREAU_STORE_UNAVAILABLE', { detail })
const errorOf = ({ code, params }: Failure): PreauError => new PreauError(code, params)

export class SqliteConnection {
  readonly #file: string
  readonly #options: DatabaseOptions
  readonly #onChange: () => void
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #starting: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #restart: NodeJS.Timeout | undefined
  #restartMs = FIRST_RESTART_MS
  #isWatching = false
  #threads = 0
  #lastCall = 0

  private constructor(file: string, options: DatabaseOptions, onChange: () => void) {
    this.#file = file
    this.#options = options
    this.#onChange = onChange
  }

  /** `onChange`: another connection has committed. Throws what `openDatabase` throws. */
  static async open(
    file: string,
    options: DatabaseOptions,
    onChange: () => void,
  ): Promise<SqliteConnection> {
    const connection = new SqliteConnection(file, options, onChange)
    await connection.#start(options)
    return connection
  }

  /** How many threads there have been. */
  get threads(): number {
    return this.#threads
  }

  /** Answers are given in the order of the calls. Throws PREAU_STORE_UNAVAILABLE, and for commits PREAU_CONFLICT. */
  call<M extends keyof ThreadCalls>(
    method: M,
    ...args: Parameters<ThreadCalls[M]>
  ): Promise<ReturnType<ThreadCalls[M]>> {
    if (this.#closing !== undefined) return Promise.reject(unavailable('the store is closed'))
    return this.#send(method, args)
  }

  /** Turns `onChange` on or off. */
  watch(isWatching: boolean): void {
    this.#isWatching = isWatching
    // Without a thread nothing is lost: the next one is told when it starts.
    this.call('watch', isWatching).catch(() => undefined)
  }

  /** Waits for the calls made before. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearTimeout(this.#restart)
    await this.#starting?.catch(() => undefined)
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise(resolve => worker.once('exit', resolve))
    // Its answer may be lost with the thread, which ends either way.
    this.#send('close', []).catch(() => undefined)
    await ended
  }

  #send<T>(method: keyof ThreadCalls, args: readonly unknown[]): Promise<T> {
    const worker = this.#worker
    if (worker === undefined) return Promise.reject(unavailable('the store is starting again'))
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(unavailable('too many calls wait'))
    const call = ++this.#lastCall
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage({ call, method, args } satisfies ToThread)
    })
  }

  async #start(options: DatabaseOptions): Promise<void> {
    const workerData: ThreadData = { file: this.#file, ...options }
    // Without the flags of the process: a loader or an inspector meant for it has no business in this thread.
    const worker = new Worker(ENTRY, { workerData, execArgv: [], name: 'store' })
    let detail = 'the store thread has ended'
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        if (message.type === 'refused') reject(errorOf(message.failure))
        else if (message.type === 'opened') {
          this.#worker = worker
          this.#threads += 1
          resolve()
        } else this.#receive(message)
      })
      worker.once('error', error => {
        detail = causeOf(error)
      })
      worker.once('exit', () => {
        reject(unavailable(detail))
        if (this.#worker === worker) this.#lose(detail)
      })
    })
  }

  #receive(message: Exclude<FromThread, { type: 'opened' | 'refused' }>): void {
    if (message.type === 'changed') {
      this.#onChange()
      return
    }
    const waiting = this.#waiting.get(message.call)
    this.#waiting.delete(message.call)
    if (message.type === 'answer') waiting?.resolve(message.value as never)
    else waiting?.reject(errorOf(message.failure))
  }

  #lose(detail: string): void {
    this.#worker = undefined
    for (const { reject } of this.#waiting.values()) reject(unavailable(detail))
    this.#waiting.clear()
    if (this.#closing === undefined) this.#startLater()
  }

  #startLater(): void {
    this.#restart = setTimeout(() => {
      this.#starting = this.#startAgain()
    }, this.#restartMs)
    this.#restartMs = Math.min(this.#restartMs * 2, LAST_RESTART_MS)
  }

  async #startAgain(): Promise<void> {
    try {
      // A database that has vanished meanwhile is not replaced by an empty one.
      await this.#start({ ...this.#options, check: false, mayCreate: false })
    } catch {
      if (this.#closing === undefined) this.#startLater()
      return
    }
    this.#restartMs = FIRST_RESTART_MS
    if (!this.#isWatching) return
    this.watch(true)
    // Nobody polled while there was no thread.
    this.#onChange()
  }
}
