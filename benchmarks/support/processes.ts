/** Processes that a question starts, and that never outlive it. */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { OrderOf, Work, WorkName } from './load/load.ts'

const DESCRIPTORS = 65_536
const STOP_MS = 5_000
const LISTEN_TRIES = 300

/** Starts a program with as many descriptors as the system allows; what it says is kept for `untilListening`. */
export function launch(command: string, args: readonly string[], cwd = '/'): ChildProcess {
  const raise = `ulimit -n ${DESCRIPTORS} 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec "$@"`
  const child = spawn('sh', ['-c', raise, 'sh', command, ...args], {
    cwd,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  endWithUs(child)
  return child
}

function endWithUs(child: ChildProcess): void {
  const kill = (): void => void child.kill('SIGTERM')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
}

/** Ends a process; resolves when it has gone. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}

/** Rejects when `child` ends before, or after half a minute. */
export async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let i = 0; i < LISTEN_TRIES; i++) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.at(4)} ended at once`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>(resolve => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`nothing listens on ${port}`)
}

function start(file: string): ChildProcess {
  const child = fork(join(import.meta.dirname, file), [], { stdio: 'inherit' })
  endWithUs(child)
  return child
}

/** The other side of all proxies, and what asks them. */
export interface Surroundings {
  /** Of the origin, on every loopback address. */
  readonly originPort: number
  /** Gives the load generator an order; throws what went wrong there. */
  readonly load: <N extends WorkName>(work: N, order: OrderOf<N>) => ReturnType<Work[N]>
  readonly stop: () => Promise<void>
}

export async function startSurroundings(): Promise<Surroundings> {
  const origin = start('origin.ts')
  const [originPort] = (await once(origin, 'message')) as [number]
  const generator = start('load/load.ts')
  const load = async (work: WorkName, order: unknown): Promise<unknown> => {
    const ended = new AbortController()
    const answer = once(generator, 'message', { signal: ended.signal })
    const onExit = (): void => ended.abort(new Error('the load generator died'))
    generator.once('exit', onExit)
    generator.send({ work, order })
    const [{ figures, failure }] = (await answer) as [{ figures?: unknown; failure?: string }]
    generator.off('exit', onExit)
    if (failure !== undefined) throw new Error(`${work}: ${failure}`)
    return figures
  }
  return {
    originPort,
    load: load as Surroundings['load'],
    stop: async () => void (await Promise.all([stop(generator), stop(origin)])),
  }
}
