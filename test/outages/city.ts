/**
 * One Préau as a city runs it: `preau start` on fixed ports, and a service manager that starts it again whenever it
 * dies unasked. Its lists refuse the hosts of `sites.ts`; every PC of 127.0.0.0/8 is in its demonstration school.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as elapsed } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { runCli, type Finished } from '../support/product.ts'
import { processesOf, type Processes } from './faults/processes.ts'
import { ALLOWED, refusedHosts } from './sites.ts'
import type { Stage } from './stage.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')
/** What systemd waits by default between a death and the next start (`RestartSec=`). */
const RESTART_MS = 100

export interface CityOptions {
  readonly dataDir?: string
  readonly workers?: number
  /** How many hosts are refused and may be asked for, each once. */
  readonly refused?: number
  readonly config?: Readonly<Record<string, unknown>>
  readonly limits?: Readonly<Record<string, number>>
  readonly env?: Readonly<Record<string, string>>
}

export interface City {
  readonly dataDir: string
  readonly configFile: string
  readonly ports: { readonly proxy: number; readonly admin: number }
  readonly refused: readonly string[]
  readonly setupUrl: string
  /** How often the service manager had to start it again. */
  readonly restarts: number
  /** What its processes logged, by message. */
  readonly logged: ReadonlyMap<string, number>
  /** The end of what they logged, to be shown where something is wrong. */
  readonly lastLines: readonly string[]
  processes(): Processes
  cli(...args: string[]): Promise<Finished>
  signal(signal: NodeJS.Signals): void
  stop(): Promise<number | null>
}

const LAST_LINES = 60

export async function openCity(stage: Stage, options: CityOptions = {}): Promise<City> {
  const refused = refusedHosts(options.refused ?? 500)
  const ports = { proxy: await freePort(), admin: await freePort() }
  const dataDir = options.dataDir ?? join(stage.dir, 'data')
  const configFile = join(stage.dir, 'config.json')
  writeFileSync(configFile, JSON.stringify(configOf(options, dataDir, ports, refused)))
  const list = join(stage.dir, 'games.txt')
  writeFileSync(list, refused.join('\n'))
  const imported = await runCli(configFile, ['lists', 'import', list, '--category', 'games'])
  if (imported.code !== 0) throw new Error(`no lists: ${imported.stderr}`)
  const service = new Service(configFile, options.env ?? {})
  stage.onEnd(() => service.stop())
  const setupUrl = await service.firstStart()
  return {
    dataDir,
    configFile,
    ports,
    refused,
    setupUrl,
    get restarts() {
      return service.restarts
    },
    logged: service.logged,
    lastLines: service.lastLines,
    processes: () => processesOf(service.pid, ports),
    cli: (...args) => runCli(configFile, args),
    signal: signal => service.signal(signal),
    stop: () => service.stop(),
  }
}

function configOf(
  options: CityOptions,
  dataDir: string,
  ports: City['ports'],
  refused: readonly string[],
): object {
  const names = [...ALLOWED, ...refused]
  return {
    dataDir,
    workers: options.workers ?? 2,
    proxy: { port: ports.proxy, connectPorts: [443, '1024-65535'] },
    admin: { port: ports.admin },
    dial: { hosts: Object.fromEntries(names.map(name => [name, '127.0.0.1'])) },
    limits: {
      drainTimeoutMs: 1_000,
      handoverTimeoutMs: 2_000,
      // Where the service manager is stopped before it has started a successor.
      orphanTimeoutMs: 60_000,
      // The load is a school in which everybody clicks at once.
      unblockPerMinute: 0,
      pendingPerPc: 0,
      pendingPerSite: 0,
      exchangesPerMinute: 0,
      ...options.limits,
    },
    ...options.config,
  }
}

/** Plays systemd with `Restart=always`. */
class Service {
  readonly logged = new Map<string, number>()
  readonly lastLines: string[] = []
  restarts = 0
  readonly #configFile: string
  readonly #env: Readonly<Record<string, string>>
  #process: ChildProcess | undefined
  #isStopping = false

  constructor(configFile: string, env: Readonly<Record<string, string>>) {
    this.#configFile = configFile
    this.#env = env
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Answers the address of the set-up page once everything listens. */
  async firstStart(): Promise<string> {
    const { stdout } = this.#start()
    let setup: string | undefined
    for await (const line of createInterface({ input: stdout })) {
      setup ??= /(http:\/\/\S+\/setup\?token=\S+)/.exec(line)?.[1]
      if (!line.includes('--proxy-server')) continue
      stdout.resume()
      if (setup !== undefined) return setup
    }
    throw new Error(`preau did not start\n${this.lastLines.join('\n')}`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  async stop(): Promise<number | null> {
    this.#isStopping = true
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return child?.exitCode ?? null
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
    const [code] = (await once(child, 'exit')) as [number | null]
    clearTimeout(late)
    return code
  }

  #start() {
    const child = spawn(process.execPath, [CLI, 'start', '--config', this.#configFile], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LANG: 'fr_FR.UTF-8', LC_ALL: '', ...this.#env },
    })
    this.#process = child
    createInterface({ input: child.stderr }).on('line', line => this.#note(line))
    child.once('exit', () => void this.#startAgain())
    return child
  }

  async #startAgain(): Promise<void> {
    if (this.#isStopping) return
    await elapsed(RESTART_MS)
    if (this.#isStopping) return
    this.restarts += 1
    this.#start().stdout.resume()
  }

  #note(line: string): void {
    const text = /"msg":"([^"]*)"/.exec(line)?.[1] ?? line.slice(0, 80)
    // The same message of another moment.
    const message = text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '…')
    this.logged.set(message, (this.logged.get(message) ?? 0) + 1)
    this.lastLines.push(`${new Date().toISOString()} ${line}`)
    if (this.lastLines.length > LAST_LINES) this.lastLines.shift()
  }
}
