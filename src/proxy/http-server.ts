/** Node's HTTP server with every bound set: plain requests, upgrades, and what asks for a CONNECT in an unusual way. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config.ts'
import { connectionOf } from './exchange.ts'
import { asksForWebSocket } from './handshake.ts'
import type { LimitName } from './limit-name.ts'

const CHECK_MS = 5_000
// What a client that has ended its sending still waits for; one that has left altogether looks the same until then.
export const HALF_CLOSED_MS = 3_000
const FAREWELL_MS = 1_000

/** It never listens: sockets are handed to it. `onLimit`: a head was too large, or a head or a body too late. */
export function createHttpServer(
  limits: Config['limits'],
  onLimit: (limit: LimitName) => void,
): Server {
  const server = createServer(serverOptions(limits))
  // Node would close at once on a client that has ended its sending, and its answer would be lost. Not in its types.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('connection', (socket: Socket) => socket.once('end', onHalfClosed))
  server.on('upgrade', onLeaving).on('connect', onLeaving)
  server.on('request', (request, response) => {
    // RFC 9112 §9.3 and §6.1: no kept connection and no chunks for HTTP/1.0, whatever it asks for.
    if (request.httpVersionMinor !== 0) return
    response.shouldKeepAlive = false
    response.useChunkedEncodingByDefault = false
  })
  // Whether the origin will take a body is for the origin to say; what else is expected, for whoever judges a head.
  const serve = (request: IncomingMessage, response: ServerResponse): void =>
    void server.emit('request', request, response)
  server.on('checkContinue', serve).on('checkExpectation', serve)
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
    shouldUpgradeCallback: asksForWebSocket,
  }
}

function onHalfClosed(this: Socket): void {
  this.setTimeout(HALF_CLOSED_MS)
}

/** A tunnel has a time of its own, and may be half-closed for as long as it likes. */
function onLeaving(_request: IncomingMessage, socket: Socket): void {
  socket.off('end', onHalfClosed)
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Node keeps there the answer that is being written, and looks at it itself where nobody listens to these errors.
  const answer = Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined
  // Behind half an answer, another one would be read as its body.
  const isAnswering = answer?.headersSent === true
  if (socket.destroyed || !socket.writable || isAnswering || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS)
  socket.once('close', () => clearTimeout(timer))
}
