/** One child process, from its start to its end. */
import { fork, type ChildProcess } from 'node:child_process'
import { ERRORS, PreauError, type ErrorCode } from '../errors.ts'
import type { FromChild, Start, ToChild } from '../messages.ts'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const ENTRY = new URL('../child.ts', import.meta.url)
/** Of the child's descriptors, the one behind standard input, output, errors and the channel of messages. */
const LISTEN_FD = 4
/** Reading the largest index from a slow disk takes seconds. */
const START_MS = 60_000
/** Beyond the drain of the child itself. */
const KILL_MARGIN_MS = 5_000

export class Member {
  /** Rejects with what it said, or how it ended, when it did not come to listen. */
  readonly ready: Promise<void>
  readonly exited: Promise<Exit>
  readonly process: ChildProcess
  /** Called with each `pong`. */
  onBeat: (lagMs: number) => void = () => undefined
  #readyAt: number | undefined
  #killTimer: NodeJS.Timeout | undefined
  #killAt = Infinity

  /** `fd`: of the socket it is to listen on, which stays ours too. */
  constructor(start: Omit<Start, 'type' | 'fd'>, fd: number) {
    const { role } = start
    const child = fork(ENTRY, {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', fd],
    })
    this.process = child
    this.exited = new Promise(resolve => {
      child.once('exit', (code, signal) => resolve({ code, signal }))
      // It could not even be started: there will be no exit.
      child.once('error', () => {
        if (child.pid === undefined) resolve({ code: null, signal: null })
      })
    })
    this.ready = this.#whenReady(role)
    // Whoever waits for it is told all the same.
    this.ready.catch(() => undefined)
    void this.exited.then(() => clearTimeout(this.#killTimer))
    this.#say({ type: 'start', ...start, fd: LISTEN_FD })
  }

  #whenReady(role: string): Promise<void> {
    const child = this.process
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${role} did not start within ${START_MS / 1_000} s`))
        this.kill()
      }, START_MS)
      child.on('message', (message: FromChild) => {
        if (message.type === 'ready') {
          clearTimeout(timer)
          this.#readyAt = performance.now()
          resolve()
        } else if (message.type === 'failed') {
          reject(errorOf(message))
          this.kill()
        } else if (message.type === 'pong') this.onBeat(message.lagMs)
      })
      child.once('error', reject)
      void this.exited.then(({ code, signal }) => {
        clearTimeout(timer)
        reject(new Error(`${role} ended at start (${signal ?? code})`))
      })
    })
  }

  get pid(): number | undefined {
    return this.process.pid
  }

  get isReady(): boolean {
    return this.#readyAt !== undefined
  }

  /** How long it has been ready, in milliseconds. */
  get servedMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt
  }

  /** Asks for a `pong`. */
  ping(): void {
    this.#say({ type: 'ping' })
  }

  /**
   * Tells it to take no more and to end within the time; ends it by force some seconds later. A later call may shorten the
   * time. Resolves when it has ended.
   */
  async stop(drainMs: number): Promise<void> {
    const killAt = performance.now() + drainMs + KILL_MARGIN_MS
    if (killAt < this.#killAt) {
      this.#killAt = killAt
      clearTimeout(this.#killTimer)
      this.#say({ type: 'stop', drainMs })
      this.#killTimer = setTimeout(() => this.kill(), drainMs + KILL_MARGIN_MS)
    }
    await this.exited
    clearTimeout(this.#killTimer)
  }

  kill(): void {
    this.process.kill('SIGKILL')
  }

  /** A process that has just gone hears nothing, and that is no error. */
  #say(message: ToChild): void {
    if (this.process.connected) this.process.send(message, () => undefined)
  }
}

function errorOf({ code, params, message }: Extract<FromChild, { type: 'failed' }>): Error {
  const isKnown = code !== undefined && code in ERRORS
  return isKnown ? new PreauError(code as ErrorCode, params) : new Error(message)
}
