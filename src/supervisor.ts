/** The primary process: starts N proxy workers and one admin process, restarts the ones that die, drains at the end. */
import { fork, type ChildProcess } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { ERRORS, PreauError, type ErrorCode } from './errors.ts'
import type { FromChild, Start, ToChild } from './child.ts'
import { Gathering } from './gathering.ts'

export interface Supervisor {
  readonly proxyAddress: AddressInfo
  readonly adminAddress: AddressInfo
  /** Drains and ends all processes; a second call ends them at once. */
  stop(): Promise<void>
}

const FIRST_RESTART_MS = 100
const LONGEST_RESTART_MS = 30_000
/** A child that lived this long has started well: its next restart is quick again. */
const STABLE_MS = 60_000
/** Beyond the drain of the child itself. */
const KILL_MARGIN_MS = 5_000

/** Starts everything; resolves when the proxy and the admin app both listen. Rejects with what the first failing child said. */
export async function supervise(config: Config, logger: Logger): Promise<Supervisor> {
  const children: Child[] = []
  const gathering = new Gathering(config.workers)
  const run = (start: Start, place = 1): Promise<AddressInfo> => {
    const onSpawn = (process: ChildProcess): void => gathering.follow(start.role, place, process)
    const child = new Child(start, logger, onSpawn)
    children.push(child)
    return child.start()
  }
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(child => child.stop()))
  }
  try {
    const workers = Array.from({ length: config.workers }, (_, i) =>
      run({ type: 'start', role: 'proxy', config }, i + 1),
    )
    const [proxyAddress] = await Promise.all(workers)
    if (proxyAddress === undefined) throw new TypeError('at least one worker')
    // The proxy first: once the admin app answers /healthz, everything is ready.
    const adminAddress = await run({ type: 'start', role: 'admin', config, proxyAddress })
    return { proxyAddress, adminAddress, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

class Child {
  #start: Start
  readonly #logger: Logger
  readonly #onSpawn: (process: ChildProcess) => void
  #process: ChildProcess | undefined
  #restartTimer: NodeJS.Timeout | undefined
  #delayMs = FIRST_RESTART_MS
  #isStopping = false

  constructor(start: Start, logger: Logger, onSpawn: (process: ChildProcess) => void) {
    this.#start = start
    this.#logger = logger
    this.#onSpawn = onSpawn
  }

  /** Starts it for the first time: a failure here is reported, not retried. */
  async start(): Promise<AddressInfo> {
    const address = await this.#spawn()
    this.#start = keepPort(this.#start, address)
    this.#restartWhenItDies()
    return address
  }

  #spawn(): Promise<AddressInfo> {
    const child = fork(new URL('child.ts', import.meta.url), { serialization: 'advanced' })
    this.#process = child
    this.#onSpawn(child)
    child.send(this.#start)
    return new Promise((resolve, reject) => {
      child.on('message', (message: FromChild) => {
        if (message.type === 'ready') resolve(message.address)
        else if (message.type === 'failed') {
          reject(errorOf(message))
          child.kill('SIGKILL')
        }
      })
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        reject(new Error(`${this.#start.role} ended at start (${signal ?? code})`)),
      )
    })
  }

  #restartWhenItDies(): void {
    const startedAt = performance.now()
    this.#process?.once('exit', (code, signal) => {
      if (this.#isStopping) return
      if (performance.now() - startedAt > STABLE_MS) this.#delayMs = FIRST_RESTART_MS
      const { role } = this.#start
      this.#logger.error({ role, code, signal, restartInMs: this.#delayMs }, 'a process died')
      this.#restartLater()
    })
  }

  #restartLater(): void {
    this.#restartTimer = setTimeout(() => void this.#restart(), this.#delayMs)
    this.#delayMs = Math.min(this.#delayMs * 2, LONGEST_RESTART_MS)
  }

  async #restart(): Promise<void> {
    try {
      await this.#spawn()
    } catch (error) {
      this.#logger.error({ role: this.#start.role, err: error }, 'a process could not be restarted')
    }
    if (this.#isStopping) return
    if (isAlive(this.#process)) this.#restartWhenItDies()
    else this.#restartLater()
  }

  async stop(): Promise<void> {
    const child = this.#process
    const isSecondCall = this.#isStopping
    this.#isStopping = true
    clearTimeout(this.#restartTimer)
    if (child === undefined || !isAlive(child)) return
    if (isSecondCall) child.kill('SIGKILL')
    const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
    if (child.connected) child.send({ type: 'stop' } satisfies ToChild)
    const { drainTimeoutMs } = this.#start.config.limits
    const timer = setTimeout(() => child.kill('SIGKILL'), drainTimeoutMs + KILL_MARGIN_MS)
    await exited
    clearTimeout(timer)
  }
}

const isAlive = (child: ChildProcess | undefined): boolean =>
  child?.exitCode === null && child.signalCode === null

/** Port 0 means any free one; a restarted child must come back on the one that people know by then. */
function keepPort(start: Start, { port }: AddressInfo): Start {
  const { config, role } = start
  return { ...start, config: { ...config, [role]: { ...config[role], port } } }
}

function errorOf({ code, params, message }: Extract<FromChild, { type: 'failed' }>): Error {
  const isKnown = code !== undefined && code in ERRORS
  return isKnown ? new PreauError(code as ErrorCode, params) : new Error(message)
}
