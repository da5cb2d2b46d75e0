/** A proxy under measurement, and the names that all of them know. */
import { spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stop, untilListening } from '../processes.ts'

export interface Contestant {
  readonly name: string
  /** As its maker numbers it, for the heading of a table. */
  readonly version: string
  readonly port: number
  /** The first process of its tree. */
  readonly pid: number
  /** The origin as this proxy is asked for it. */
  readonly authority: (originPort: number) => string
  readonly stop: () => Promise<void>
}

/** Leads to loopback wherever a proxy can be told so. */
export const NAME = 'bench.test'

/** A folder of its own. In small letters: e2guardian reads the paths in its lists so. */
export function scratch(): string {
  const dir = join(tmpdir(), `preau-bench-${randomBytes(6).toString('hex')}`)
  mkdirSync(dir, { mode: 0o700 })
  return dir
}

/** The first number that a program says of itself, or undefined where it is not installed. */
export function versionOf(command: string, argument: string): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, [argument], { encoding: 'utf8' })
  if (error !== undefined) return undefined
  return /\d+\.\d+(?:\.\d+)?/.exec(stdout + stderr)?.[0]
}

export interface Launched {
  readonly name: string
  readonly version: string
  readonly port: number
  readonly child: ChildProcess
  /** Removed at the end. */
  readonly dir?: string
  readonly host?: string
}

/** Waits until it listens; what never does is removed again. */
export async function ready({ child, port, dir, ...of }: Launched): Promise<Contestant> {
  const end = async (): Promise<void> => {
    await stop(child)
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true })
  }
  await untilListening(port, child).catch(async (error: unknown) => {
    await end()
    throw error
  })
  return {
    name: of.name,
    version: of.version,
    port,
    pid: child.pid ?? 0,
    authority: originPort => `${of.host ?? '127.0.0.1'}:${originPort}`,
    stop: end,
  }
}
