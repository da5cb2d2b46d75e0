/** Starts `fixtures/store-process.ts`: a process of its own that uses a store. */
import { spawn, type SpawnOptions } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export const SCRIPT = fileURLToPath(new URL('fixtures/store-process.ts', import.meta.url))

export interface Started {
  readonly pid: number
  /** The next line that it says; undefined at its end. */
  readonly next: () => Promise<string | undefined>
  readonly tell: (line: string) => void
  readonly kill: () => void
  readonly rest: () => Promise<string[]>
  /** Resolves to its exit code. */
  readonly ended: Promise<number | null>
}

export function start(
  t: Test,
  args: string[],
  prefix: string[] = [],
  options: SpawnOptions = {},
): Started {
  const [command, ...before] = [...prefix, process.execPath]
  const child = spawn(command, [...before, SCRIPT, ...args], {
    ...options,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const { stdin, stdout } = child
  if (stdin === null || stdout === null || child.pid === undefined) throw new Error('not started')
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
  const next = async () => {
    const { value, done } = await lines.next()
    return done === true ? undefined : value
  }
  return {
    pid: child.pid,
    next,
    tell: line => stdin.write(`${line}\n`),
    kill: () => child.kill('SIGKILL'),
    ended: new Promise(resolve => child.once('exit', resolve)),
    async rest() {
      const all: string[] = []
      for (let line = await next(); line !== undefined; line = await next()) all.push(line)
      return all
    },
  }
}
