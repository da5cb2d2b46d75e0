/** `kill -9` of one process, and how long until another one answers in its place. */
import { connect } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import type { City } from '../city.ts'
import type { Watch } from '../load/watch.ts'
import { acceptedBy, ownerOf, type Processes } from './processes.ts'

export interface Kill {
  /** Until a process that was not there before has answered a client. */
  readonly backMs: number
}

const ROUND_MS = 25
const PROBES = 4
const PATIENCE_MS = 120_000
const FROM = '127.0.7.1'

export async function killWorker(city: City, watch: Watch, chosen: number): Promise<Kill> {
  const before = await whole(city)
  const pid = before.workers[chosen % before.workers.length] ?? 0
  killKnowing(pid, city, watch)
  return { backMs: await untilNew(city, 'proxy', new Set(before.workers)) }
}

export async function killAdmin(city: City, watch: Watch): Promise<Kill> {
  const before = await whole(city)
  const pid = before.admin ?? 0
  killKnowing(pid, city, watch)
  return { backMs: await untilNew(city, 'admin', new Set([pid])) }
}

/** Its children serve on; once those of the next one do they drain, and only then may a connection of theirs be cut. */
export async function killSupervisor(city: City, watch: Watch): Promise<Kill> {
  const before = await whole(city)
  const orphans = [...before.workers, ...(before.admin === undefined ? [] : [before.admin])]
  process.kill(before.supervisor, 'SIGKILL')
  const back = await Promise.all([untilServed(city, 'proxy'), untilServed(city, 'admin')])
  await whole(city)
  while (orphans.some(isAlive)) {
    for (const pid of orphans) expectCuts(pid, city, watch)
    await elapsed(ROUND_MS)
  }
  return { backMs: Math.max(...back) }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** Everything that should run runs: also right after another kill. */
export async function whole(city: City, workers = 2): Promise<Processes> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const seen = city.processes()
    if (seen.workers.length === workers && seen.admin !== undefined) return seen
    if (performance.now() > until)
      throw new Error(`not whole: ${JSON.stringify(seen)}\n${city.lastLines.join('\n')}`)
    await elapsed(ROUND_MS)
  }
}

/** Stopped first, so that it accepts nothing between the look at its connections and its death. */
function killKnowing(pid: number, city: City, watch: Watch): void {
  process.kill(pid, 'SIGSTOP')
  expectCuts(pid, city, watch)
  process.kill(pid, 'SIGKILL')
}

export function expectCuts(pid: number, { ports }: City, watch: Watch): void {
  for (const port of [ports.proxy, ports.admin]) watch.expectCuts(acceptedBy(pid, port))
}

type Part = 'proxy' | 'admin'

/** Until a process answers that was not there before. */
const untilNew = (city: City, part: Part, known: ReadonlySet<number>): Promise<number> =>
  untilServed(city, part, from => {
    const { workers, admin } = city.processes()
    const candidates = part === 'proxy' ? workers : admin === undefined ? [] : [admin]
    const pid = ownerOf(from, city.ports[part], candidates)
    return pid !== undefined && !known.has(pid)
  })

/** Clients come in rounds, whether those before them were served or still wait in front of a dead listener. */
async function untilServed(
  city: City,
  part: Part,
  isRight: (from: string) => boolean = () => true,
): Promise<number> {
  const startedAt = performance.now()
  const over = new AbortController()
  const probe = async (): Promise<void> => {
    if (await isServed(city, part, isRight, over.signal)) over.abort()
  }
  while (!over.signal.aborted) {
    if (performance.now() - startedAt > PATIENCE_MS)
      throw new Error(`${part} did not come back\n${city.lastLines.join('\n')}`)
    for (let i = 0; i < PROBES; i++) void probe()
    await elapsed(ROUND_MS)
  }
  return performance.now() - startedAt
}

function isServed(
  city: City,
  part: Part,
  isRight: (from: string) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const port = city.ports[part]
  const path = part === 'proxy' ? 'http://www.jeux.fr/' : '/healthz'
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: FROM })
    const end = (isWell: boolean): void => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(isWell)
    }
    const onAbort = (): void => end(false)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`))
    socket.once('data', () => end(isRight(`${FROM}:${socket.localPort}`)))
  })
}
