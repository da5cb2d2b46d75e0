/** A parent proxy for tests: a small honest one, and what it may do instead. All names lead it to loopback. */
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'

export interface Heard {
  readonly method: string
  /** As it stood in the request line. */
  readonly url: string
  readonly authorization: string | undefined
  readonly headers: IncomingMessage['headers']
}

export interface ParentOptions {
  /** `user:password` that it asks for. */
  readonly credentials?: string
  /** 0: any. */
  readonly port?: number
  /** In place of an honest answer to the head of a request; answers whether it has done so. */
  readonly instead?: (socket: Socket, heard: Heard) => boolean
}

export interface FakeParent {
  readonly port: number
  /** With its credentials. */
  readonly url: string
  readonly heard: Heard[]
  /** Connections that it has taken. */
  readonly connections: () => number
  close(): Promise<void>
}

export async function openParent(t: Test, options: ParentOptions = {}): Promise<FakeParent> {
  const { credentials, instead = () => false } = options
  const heard: Heard[] = []
  const sockets = new Set<Socket>()
  const expected =
    credentials === undefined ? undefined : `Basic ${Buffer.from(credentials).toString('base64')}`
  const note = (request: IncomingMessage): Heard => {
    const { method = '', url = '', headers } = request
    const one = { method, url, headers, authorization: headers['proxy-authorization'] }
    heard.push(one)
    return one
  }
  const server = createServer((request, response) => {
    const one = note(request)
    if (instead(request.socket, one)) return
    if (one.authorization !== expected) {
      response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="rectorat"' }).end('who?')
      return
    }
    if (!URL.canParse(one.url)) {
      response.writeHead(400).end('no proxy request')
      return
    }
    const { port, pathname, search } = new URL(one.url)
    const { 'proxy-authorization': _, ...headers } = request.headers
    const path = pathname + search
    const at = { host: '127.0.0.1', port: Number(port), method: one.method, path, headers }
    const outgoing = httpRequest(at, answer => {
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders)
      answer.pipe(response)
    })
    outgoing.on('error', () => response.writeHead(503).end('no such site'))
    request.pipe(outgoing)
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
  })
  server.on('connect', (request, socket: Socket) => {
    const one = note(request)
    if (instead(socket, one)) return
    if (one.authorization !== expected) {
      socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="r"\r\n\r\n',
      )
      return
    }
    const origin = connect(Number(one.url.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(origin).pipe(socket)
    })
    origin.on('error', () => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
    socket.on('close', () => origin.destroy())
  })
  server.listen(options.port ?? 0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  t.teardown(close)
  const { port } = server.address() as AddressInfo
  const user = credentials === undefined ? '' : `${credentials}@`
  const url = `http://${user}127.0.0.1:${port}`
  return { port, url, heard, connections: () => sockets.size, close }
}
