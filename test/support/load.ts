/** A steady load of new connections through a proxy, each with its own bytes: every one that is not served is counted. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Test } from 'tap'

/** How a connection ended: served, or the reason why not. */
export type Outcomes = Map<string, number>

export interface Load {
  /** Ends it; resolves when all that was begun has ended. */
  stop(): Promise<Outcomes>
  readonly outcomes: Outcomes
}

export interface LoadOrigins {
  readonly httpPort: number
  readonly echoPort: number
}

/** A page, and a port that says back what it hears. */
export async function openLoadOrigins(t: Test): Promise<LoadOrigins> {
  const page = createHttpServer((_request, response) => response.end('page'))
  const echo = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  return { httpPort: await listen(t, page), echoPort: await listen(t, echo) }
}

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1', 4_096)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/**
 * `perSecond` new connections: in turn an allowed page, a refused one, a tunnel, and a page whose request comes late. The
 * name `free.test` must lead to us.
 */
export function startLoad(proxyPort: number, origins: LoadOrigins, perSecond: number): Load {
  const outcomes: Outcomes = new Map()
  const running = new Set<Promise<void>>()
  const kinds = [
    () => ask(proxyPort, `http://free.test:${origins.httpPort}/`, / 200 [\s\S]*page$/),
    () => ask(proxyPort, 'http://www.jeux.fr/', / 403 [\s\S]*<\/html>\s*$/),
    () => tunnel(proxyPort, origins.echoPort),
    () => ask(proxyPort, 'http://www.jeux.fr/', / 403 [\s\S]*<\/html>\s*$/, LATE_MS),
  ]
  let count = 0
  const begin = (): void => {
    const kind = kinds[count++ % kinds.length] ?? (() => Promise.resolve('nothing'))
    const one = kind()
      .catch((error: NodeJS.ErrnoException) => error.code ?? error.message)
      .then(outcome => void outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1))
    running.add(one)
    void one.then(() => running.delete(one))
  }
  const startedAt = performance.now()
  const timer = setInterval(() => {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond
    for (let i = count; i < due; i++) begin()
  }, 5)
  return {
    outcomes,
    async stop() {
      clearInterval(timer)
      await Promise.all(running)
      return outcomes
    },
  }
}

/** All outcomes but the good one, for a message that tells. */
export const failures = (outcomes: Outcomes): Record<string, number> =>
  Object.fromEntries([...outcomes].filter(([outcome]) => outcome !== 'served'))

export const served = (outcomes: Outcomes): number => outcomes.get('served') ?? 0

const PATIENCE_MS = 20_000
/** As from a slow network: the connection stands, and its request is still on its way. */
const LATE_MS = 300

async function ask(port: number, url: string, expected: RegExp, lateMs = 0): Promise<string> {
  const socket = await open(port)
  if (lateMs > 0) await elapsed(lateMs)
  socket.write(`GET ${url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  return expected.test(await readAll(socket)) ? 'served' : 'a wrong answer'
}

async function tunnel(port: number, to: number): Promise<string> {
  const socket = await open(port)
  socket.write(`CONNECT free.test:${to} HTTP/1.1\r\nHost: a\r\n\r\n`)
  const head = await readChunk(socket)
  if (!head.startsWith('HTTP/1.1 200')) return `not a tunnel: ${head.slice(0, 20)}`
  socket.write('own bytes')
  const back = await readChunk(socket)
  socket.destroy()
  return back === 'own bytes' ? 'served' : 'wrong bytes'
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').setTimeout(PATIENCE_MS)
  socket.on('timeout', () => socket.destroy(new Error('no answer')))
  await once(socket, 'connect')
  // What comes later is told by whoever reads.
  socket.on('error', () => undefined)
  return socket
}

async function readAll(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  return text
}

async function readChunk(socket: Socket): Promise<string> {
  const [chunk] = (await Promise.race([
    once(socket, 'data'),
    once(socket, 'end').then(() => ['']),
  ])) as [Buffer | string]
  return String(chunk)
}
