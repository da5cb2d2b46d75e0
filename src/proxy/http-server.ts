/** Node's HTTP server with every bound set: plain requests, upgrades, and what asks for a CONNECT in an unusual way. */
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config.ts'
import { connectionOf } from './exchange.ts'
import type { LimitName } from './limit-name.ts'

const CHECK_MS = 5_000

/** It never listens: sockets are handed to it. `onLimit`: a head was too large, or a head or a body too late. */
export function createHttpServer(
  limits: Config['limits'],
  onLimit: (limit: LimitName) => void,
): Server {
  const server = createServer(serverOptions(limits))
  // Whoever judges a request counts its fields: Node would drop those beyond its bound without a word.
  server.maxHeadersCount = 0
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'HPE_HEADER_OVERFLOW') onLimit('maxHeaderBytes')
    // Node has one name for both: a head that has come whole has opened an exchange.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
      onLimit(connectionOf(socket).latest?.isOpen ? 'requestTimeoutMs' : 'headTimeoutMs')
    answerClientError(error, socket)
  })
  // Node begins to watch these times, and to know what to close, when a server listens.
  server.emit('listening')
  return server
}

function serverOptions(limits: Config['limits']): ServerOptions & {
  shouldUpgradeCallback: (request: IncomingMessage) => boolean
} {
  return {
    maxHeaderSize: limits.maxHeaderBytes || 1_048_576,
    // Node refuses more time for the head than for the whole.
    headersTimeout: Math.min(limits.headTimeoutMs, limits.requestTimeoutMs || Infinity),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headTimeoutMs || CHECK_MS),
    insecureHTTPParser: false,
    // Any other upgrade (h2c, one with a body) is served as the plain request it also is (RFC 9110 §7.8).
    shouldUpgradeCallback: ({ method, headers }) =>
      method === 'GET' &&
      headers.upgrade?.toLowerCase() === 'websocket' &&
      headers['transfer-encoding'] === undefined &&
      !Number(headers['content-length']),
  }
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
