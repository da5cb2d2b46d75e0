/** The hosts of the load, and the one origin behind all of them: a page in clear and an echo for tunnels. */
import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { Stage } from './stage.ts'

export const ALLOWED = Array.from({ length: 8 }, (_, i) => `open${i}.test`)
/** What the origin says, to be told from any page of ours. */
export const PAGE = 'the page of the origin'

/** In the list of games; each may be asked for once. */
export const refusedHosts = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `play${i}.test`)

/** A list of lines that comes too slowly to be whole before its job is killed. */
export const SLOW_LIST = '/slow-list.txt'
const SLOW_MS = 50
const SLOW_LINES = 60

export interface Origin {
  readonly httpPort: number
  readonly echoPort: number
}

export async function openOrigin(stage: Stage): Promise<Origin> {
  const pages = createHttpServer((request, response) => {
    if (request.url === SLOW_LIST) dribble(response)
    else response.end(PAGE)
  })
  const echo = createServer({ allowHalfOpen: false }, socket => {
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  return { httpPort: await listen(stage, pages), echoPort: await listen(stage, echo) }
}

function dribble(response: ServerResponse): void {
  let line = 0
  response.writeHead(200, { 'content-type': 'text/plain' })
  const timer = setInterval(() => {
    response.write(`slow${line++}.test\n`)
    if (line === SLOW_LINES) response.end()
  }, SLOW_MS)
  response.once('close', () => clearInterval(timer))
}

async function listen(stage: Stage, server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 })
  await once(server, 'listening')
  stage.onEnd(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}
