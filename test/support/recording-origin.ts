/**
 * A raw origin that keeps every byte that reaches it and reads them as the strictest of servers would: what it cannot
 * read in exactly one way is a fault (the oracle of `test/threats/`).
 */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import { readUntil, type ProxyWorld } from './proxy-world.ts'

export interface Received {
  readonly method: string
  readonly url: string
  /** Names in lower case. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
}

export interface RecordingOrigin {
  readonly port: number
  readonly requests: Received[]
  /** Why a strict reader would have refused what came; a request that was cut off is none. */
  readonly faults: string[]
  /** One entry for each connection: all its bytes, as latin1. */
  readonly connections: { bytes: string; isOpen: boolean }[]
  clear(): void
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const HEAD =
  /^([A-Z][A-Z_-]*) ([!-~\x80-\xff]+) HTTP\/1\.1\r\n((?:[!#$%&'*+.^_`|~\w-]+: [^\r\n\0]*\r\n)*)\r\n/
const CHUNK = /^([0-9a-f]+)\r\n/i

/** `answer`: what is said to each request, bytes of its own making; without it a 200. */
export async function openRecordingOrigin(
  t: Test,
  answer: (request: Received, socket: Socket) => void = (_request, socket) => socket.write(OK),
): Promise<RecordingOrigin> {
  const requests: Received[] = []
  const faults: string[] = []
  const connections: RecordingOrigin['connections'] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    const connection = { bytes: '', isOpen: true }
    let unread = ''
    connections.push(connection)
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('end', () => socket.end())
    socket.on('close', () => (connection.isOpen = false))
    socket.on('data', chunk => {
      connection.bytes += chunk.toString('latin1')
      unread += chunk.toString('latin1')
      try {
        for (let read = readRequest(unread); read !== undefined; read = readRequest(unread)) {
          unread = unread.slice(read.length)
          requests.push(read.request)
          answer(read.request, socket)
        }
      } catch (error) {
        faults.push(`${String(error)}: ${JSON.stringify(unread.slice(0, 300))}`)
        socket.destroy()
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const clear = (): void => [requests, faults, connections].forEach(list => list.splice(0))
  const { port } = server.address() as AddressInfo
  return { port, requests, faults, connections, clear }
}

/** The first request of a text and its length; undefined while it is not whole. Throws where it is not clean. */
function readRequest(text: string): { request: Received; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) {
    if (/[^\r]\n|\r[^\n]|\0/.test(text.slice(0, 4_000))) throw new Error('a stray control')
    return undefined
  }
  const match = HEAD.exec(text)
  if (match === null) throw new Error('a head that is none')
  const [head, method = '', url = '', lines = ''] = match
  const fields = lines
    .split('\r\n')
    .slice(0, -1)
    .map(line => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)] as const
    })
  const valuesOf = (name: string): string[] =>
    fields.filter(([field]) => field === name).map(([, value]) => value)
  if (valuesOf('host').length !== 1) throw new Error('not one Host')
  const framing = [...valuesOf('content-length'), ...valuesOf('transfer-encoding')]
  if (framing.length > 1) throw new Error('framed twice')
  const rest = text.slice(head.length)
  const body =
    framing[0] === undefined
      ? { content: '', length: 0 }
      : framing[0] === 'chunked'
        ? readChunks(rest)
        : readSized(rest, framing[0])
  if (body === undefined) return undefined
  return {
    request: { method, url, fields, body: body.content },
    length: head.length + body.length,
  }
}

function readSized(text: string, size: string): { content: string; length: number } | undefined {
  if (!/^\d{1,15}$/.test(size)) throw new Error('an odd Content-Length')
  const length = Number(size)
  return text.length < length ? undefined : { content: text.slice(0, length), length }
}

function readChunks(text: string): { content: string; length: number } | undefined {
  let content = ''
  for (let at = 0; ;) {
    const line = CHUNK.exec(text.slice(at, at + 20))
    if (line?.[1] === undefined) {
      if (text.slice(at).includes('\r\n')) throw new Error('an odd chunk size')
      return undefined
    }
    const size = Number.parseInt(line[1], 16)
    at += line[0].length
    if (text.length < at + size + 2) return undefined
    if (text.slice(at + size, at + size + 2) !== '\r\n') throw new Error('an odd end of a chunk')
    content += text.slice(at, at + size)
    at += size + 2
    if (size === 0) return { content, length: at }
  }
}

/** Sends bytes, ends the sending, and answers all that came back until the proxy closed. */
export async function sendAll(world: ProxyWorld, bytes: string | Buffer): Promise<string> {
  const socket = await world.open()
  socket.end(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  const answer = await readUntil(socket)
  socket.destroy()
  return answer
}

/**
 * Sends bytes that could be misread. They are clean when they were refused, or the door closed, or when the origin got
 * at most one request in which a strict reader finds no fault; and the next request must be served by the same proxy.
 */
export async function assertClean(
  t: Test,
  world: ProxyWorld,
  origin: RecordingOrigin,
  { name, bytes, status = /^(?:HTTP\/1\.1 [245]\d\d |$)/ }: Dirty,
): Promise<void> {
  origin.clear()
  const answer = await sendAll(world, bytes)
  t.match(answer, status, `${name}: answered ${JSON.stringify(answer.slice(0, 40))}`)
  t.strictSame(origin.faults, [], `${name}: nothing that can be misread reaches the origin`)
  t.ok(origin.requests.length <= 1, `${name}: no second request`)
  const next = `GET http://free.test:${origin.port}/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
  t.match(await world.raw(next), /^HTTP\/1\.1 200 /, `${name}: the next one is served`)
}

export interface Dirty {
  readonly name: string
  readonly bytes: string
  /** What the answer must look like. */
  readonly status?: RegExp
}
