/** The whole product as a city runs it: `preau start` with its own data folder, on free ports, through its command line. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Test } from 'tap'
import type { AccessLogEntry } from '../../src/access-log/access-log.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Product {
  readonly dataDir: string
  readonly configFile: string
  readonly caFile: string
  /** `http://127.0.0.1:<port>` of the proxy and of the admin app. */
  readonly proxyUrl: string
  readonly adminUrl: string
  readonly setupUrl: string | undefined
  readonly process: ChildProcess
  /** Process ids of the supervisor's children, in no order. */
  children(): number[]
  cli(...args: string[]): Promise<Finished>
  /** What it has written so far, its log included. */
  said(): string
  accessLog(): AccessLogEntry[]
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface ProductOptions {
  /** Names that lead to loopback. */
  readonly names?: readonly string[]
  readonly config?: object
  /** An existing folder, to start on what another one left. */
  readonly dir?: string
  /** Variables of its environment, beside our own. */
  readonly env?: object
  /** Its supervisor may be told to leave. One that is killed may be so in any case. */
  readonly mayLeaveOrphans?: boolean
}

/** A variable of each of its processes, by which those are found whose supervisor has gone. */
const MARK = 'PRODUCT_OF_TEST'

/** Runs a program to its end. */
export async function runProgram(
  command: string,
  args: readonly string[],
  input = '',
  env: object = {},
): Promise<Finished> {
  const child = spawn(command, args, { env: { ...process.env, ...env } })
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => (out.stdout += String(chunk)))
  child.stderr.on('data', chunk => (out.stderr += String(chunk)))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...out }
}

/** Writes a configuration with free ports; the programs find them out when they listen. */
export function writeConfig(dir: string, { names = [], config = {} }: ProductOptions): string {
  const file = join(dir, 'config.json')
  const hosts = Object.fromEntries(names.map(name => [name, '127.0.0.1']))
  const base = {
    dataDir: 'data',
    proxy: { port: 0, connectPorts: [443, '1024-65535'] },
    admin: { port: 0 },
    dial: { hosts },
    limits: { drainTimeoutMs: 500 },
  }
  writeFileSync(file, JSON.stringify({ ...base, ...config }))
  return file
}

export const runCli = (
  configFile: string,
  args: readonly string[],
  input = '',
): Promise<Finished> =>
  runProgram(process.execPath, [CLI, ...args, '--config', configFile], input, {
    LANG: 'fr_FR.UTF-8',
    LC_ALL: '',
  })

export async function startProduct(t: Test, options: ProductOptions = {}): Promise<Product> {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'preau-test-'))
  const configFile = writeConfig(dir, options)
  const dataDir = join(dir, 'data')
  const child = spawn(process.execPath, [CLI, 'start', '--config', configFile], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LANG: 'fr_FR.UTF-8', LC_ALL: '', [MARK]: dir, ...options.env },
  })
  let said = ''
  child.stderr.on('data', chunk => (said += String(chunk)))
  child.stdout.on('data', chunk => (said += String(chunk)))
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
    child.kill(signal)
    const [code] = (await once(child, 'exit')) as [number | null]
    return code
  }
  t.teardown(async () => {
    await stop()
    if (child.exitCode === null || options.mayLeaveOrphans) await endOrphans(dir)
    // Not `t.testdir()`: it would be removed under the feet of processes that still write their compiled code.
    if (options.dir === undefined) rmSync(dir, { recursive: true, force: true })
  })
  const screen = await readScreen(child).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${said}`)
  })
  return {
    dataDir,
    configFile,
    caFile: join(dataDir, 'ca', 'ca.pem'),
    proxyUrl: `http://${screen.proxy}`,
    adminUrl: screen.admin,
    setupUrl: screen.setup,
    process: child,
    children: () => childrenOf(child.pid ?? 0),
    cli: (...args) => runCli(configFile, args),
    said: () => said,
    accessLog: () => readAccessLog(dataDir),
    stop,
  }
}

interface Screen {
  readonly proxy: string
  readonly admin: string
  readonly setup: string | undefined
}

/** What a person reads off the screen at the end of the start. */
async function readScreen(child: ChildProcess): Promise<Screen> {
  const found: { proxy?: string; admin?: string; setup?: string } = {}
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    found.proxy ??= /^\s*Proxy\s+(\S+:\d+)$/.exec(line)?.[1]
    found.admin ??= /DSI\s+(https?:\/\/\S+?)\/$/.exec(line)?.[1]
    found.setup ??= /(https?:\/\/\S+\/setup\?token=\S+)/.exec(line)?.[1]
    if (line.includes('--proxy-server') && found.proxy && found.admin) {
      child.stdout.resume()
      return { proxy: found.proxy, admin: found.admin, setup: found.setup }
    }
  }
  throw new Error('preau did not start')
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map(Number)
}

/** Ends what is left of a product whose supervisor has gone; resolves when it has ended. */
async function endOrphans(dir: string): Promise<void> {
  for (const pid of readdirSync('/proc').map(Number).filter(Boolean)) {
    while (isOf(pid, dir)) {
      process.kill(pid, 'SIGKILL')
      await elapsed(20)
    }
  }
}

function isOf(pid: number, dir: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`${MARK}=${dir}`)
  } catch {
    return false
  }
}

function readAccessLog(dataDir: string): AccessLogEntry[] {
  const text = globSync(join(dataDir, 'access-log/*.jsonl'))
    .map(file => readFileSync(file, 'utf8'))
    .join('')
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as AccessLogEntry)
}
