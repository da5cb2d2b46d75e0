/** The engines that the shared state may live in, started for a measurement and ended with it. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { freePort } from '../../test/support/free-port.ts'
import { scratch, versionOf } from './contestants/contestant.ts'
import { cpuMicros } from './cpu.ts'
import { launch, stop, untilListening } from './processes.ts'

export interface Engine {
  readonly name: string
  readonly version: string
  /** As it stands in the configuration. */
  readonly store: string
  /** CPU of its own process so far, in microseconds; SQLite has none. */
  readonly micros: () => number
  /** Commands that it has run so far, those of this question left out; undefined where there are none. */
  readonly commands: () => number | undefined
  /** Memory of the data, in bytes; undefined where it is a file. */
  readonly memory: () => number | undefined
  readonly stop: () => Promise<void>
}

export const SQLITE: Engine = {
  name: 'SQLite',
  version: process.versions['sqlite'] ?? '',
  store: 'sqlite',
  micros: () => 0,
  commands: () => undefined,
  memory: () => undefined,
  stop: async () => undefined,
}

/** The part of a configuration that names a place of its own on an engine. */
export const placeOn = ({ store }: Engine, prefix: string): object =>
  store === SQLITE.store ? { store } : { store, redis: { prefix } }

/** Undefined where it is not installed. `fsync`: `always` is what a store of Préau asks for. */
export async function startRedis(
  fsync: 'always' | 'everysec' = 'always',
): Promise<Engine | undefined> {
  const version = versionOf('redis-server', '--version')
  if (version === undefined) return undefined
  const dir = scratch()
  const port = await freePort()
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '']
  const child = launch('redis-server', [...settings, '--appendonly', 'yes', '--appendfsync', fsync])
  await untilListening(port, child)
  return {
    name: `Redis, appendfsync ${fsync}`,
    version,
    store: `redis://127.0.0.1:${port}`,
    micros: () => cpuMicros(child.pid ?? 0),
    // Each look is a command or two itself.
    commands: () => ((looks += 1), field(port, 'stats', 'total_commands_processed') - looks),
    memory: () => field(port, 'memory', 'used_memory'),
    stop: () => end(child, dir),
  }
}

let looks = 0

function field(port: number, section: string, name: string): number {
  const text = execFileSync('redis-cli', ['-p', String(port), 'INFO', section], {
    encoding: 'utf8',
  })
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1])
}

async function end(child: ChildProcess, dir: string): Promise<void> {
  await stop(child)
  rmSync(dir, { recursive: true, force: true })
}
