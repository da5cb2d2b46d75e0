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

/** Its children end by themselves, with all that they hold and still take. */
export async function killSupervisor(city: City, watch: Watch): Promise<Kill> {
  const before = await whole(city)
  const all = [...before.workers, ...(before.admin === undefined ? [] : [before.admin])]
  const look = (): void => {
    for (const pid of all) expectCuts(pid, city, watch)
  }
  look()
  process.kill(before.supervisor, 'SIGKILL')
  const looking = setInterval(look, 20)
  try {
    const known = new Set(all)
    const back = await Promise.all([untilNew(city, 'proxy', known), untilNew(city, 'admin', known)])
    while (all.some(pid => isAlive(pid))) await elapsed(ROUND_MS)
    return { backMs: Math.max(...back) }
  } finally {
    clearInterval(looking)
  }
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

/** Clients come in rounds, whether those before them were served or still wait in front of a dead listener. */
async function untilNew(
  city: City,
  part: 'proxy' | 'admin',
  known: ReadonlySet<number>,
): Promise<number> {
  const startedAt = performance.now()
  const over = new AbortController()
  const probe = async (): Promise<void> => {
    const isNew = (pid: number): boolean => !known.has(pid)
    if (await isServedBy(city, part, isNew, over.signal)) over.abort()
  }
  while (!over.signal.aborted) {
    if (performance.now() - startedAt > PATIENCE_MS)
      throw new Error(`${part} did not come back\n${city.lastLines.join('\n')}`)
    for (let i = 0; i < PROBES; i++) void probe()
    await elapsed(ROUND_MS)
  }
  return performance.now() - startedAt
}

function isServedBy(
  city: City,
  part: 'proxy' | 'admin',
  isNew: (pid: number) => boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const port = city.ports[part]
  const path = part === 'proxy' ? 'http://www.jeux.fr/' : '/healthz'
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: FROM })
    const end = (isServed: boolean): void => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      resolve(isServed)
    }
    const onAbort = (): void => end(false)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
    socket.once('connect', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`))
    socket.once('data', () => {
      const { workers, admin } = city.processes()
      const candidates = part === 'proxy' ? workers : admin === undefined ? [] : [admin]
      const pid = ownerOf(`${FROM}:${socket.localPort}`, port, candidates)
      end(pid !== undefined && isNew(pid))
    })
  })
}
