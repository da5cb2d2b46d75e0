/** One child process, from its start to its end. */
import { fork, type ChildProcess } from 'node:child_process'
import { commandName } from '../command-name.ts'
import { ERRORS, PreauError, type ErrorCode } from '../errors.ts'
import type { FromChild, Start, ToChild } from '../messages.ts'
import { Ending } from './ending.ts'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const ENTRY = new URL('../child.ts', import.meta.url)
/** Of the child's descriptors, the one behind standard input, output, errors and the channel of messages. */
const LISTEN_FD = 4
/** Reading the largest index from a slow disk takes seconds. */
const START_MS = 60_000
/** A child closes its listener in the turn in which it hears that it is to stop: this is for one that is busy, or older than us. */
const LEAVE_MS = 2_000

export class Member {
  /** Rejects with what it said, or how it ended, when it did not come to listen. */
  readonly ready: Promise<void>
  readonly exited: Promise<Exit>
  /** Resolves once it takes no new connection any more, or has not said so in time. */
  readonly hasLeft: Promise<void>
  readonly process: ChildProcess
  /** Called with each `pong`. */
  onBeat: (lagMs: number) => void = () => undefined
  readonly #ending: Ending
  #readyAt: number | undefined
  #onLeft: () => void = () => undefined

  /** `fd`: of the socket it is to listen on, which stays ours too. */
  constructor(start: Omit<Start, 'type' | 'fd' | 'command'>, fd: number) {
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
    this.hasLeft = new Promise(resolve => (this.#onLeft = resolve))
    void this.exited.then(() => this.#onLeft())
    this.#ending = new Ending({
      tell: drainMs => {
        this.#say({ type: 'stop', drainMs })
        setTimeout(() => this.#onLeft(), LEAVE_MS).unref()
      },
      kill: () => this.kill(),
      exited: this.exited,
    })
    this.#say({ type: 'start', ...start, command: commandName(), fd: LISTEN_FD })
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
        else if (message.type === 'left') this.#onLeft()
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

  /** How long it has been ready, in milliseconds. */
  get servedMs(): number {
    return this.#readyAt === undefined ? 0 : performance.now() - this.#readyAt
  }

  /** Asks for a `pong`. */
  ping(): void {
    this.#say({ type: 'ping' })
  }

  /** Tells it to take no more and to end within the time; a later call may shorten it. Resolves when it has ended. */
  stop(drainMs: number): Promise<void> {
    return this.#ending.within(drainMs)
  }

  /** Lets it go as it is: from now on it is an orphan, and we may end before it. */
  leave(): void {
    this.#ending.forget()
    if (this.process.connected) this.process.disconnect()
    this.process.unref()
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
