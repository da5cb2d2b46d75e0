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
import { PreauError, type ErrorCode } from '../errors.ts'
import { connectionOf } from './exchange.ts'
import { asksForWebSocket } from './handshake.ts'
import { hasContent } from './headers.ts'
import type { LimitName } from './limit-name.ts'
import { firstLineOf, readOddRequestLine, type OddRequestLine } from './request-line.ts'
import { UploadWatch } from './upload-watch.ts'

const CHECK_MS = 5_000
// What a client that has ended its sending still waits for; one that has left altogether looks the same until then.
export const HALF_CLOSED_MS = 3_000

/** It never listens: sockets are handed to it. */
export interface HttpServerOptions {
  readonly limits: Config['limits']
  /** A head was too large, or a head or a body too late. */
  readonly onLimit: (limit: LimitName) => void
  /** Something came that is no request, or not the whole of one. Called again for what follows it. */
  readonly onBroken: (socket: Socket, error: PreauError, odd?: OddRequestLine) => void
}

export function createHttpServer({ limits, onLimit, onBroken }: HttpServerOptions): Server {
  const server = createServer(serverOptions(limits))
  // Node would close at once on a client that has ended its sending, and its answer would be lost. Not in its types.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('connection', (socket: Socket) => socket.once('end', onHalfClosed))
  server.on('upgrade', onLeaving).on('connect', onLeaving)
  const uploads = new UploadWatch(
    { timeoutMs: limits.requestTimeoutMs, bytesPerSecond: limits.requestBytesPerSecond },
    ({ socket }, limit) => {
      onLimit(limit)
      onBroken(socket, new PreauError('PREAU_REQUEST_TIMEOUT'))
    },
  )
  server.on('request', (request, response) => {
    if (hasContent(request.headers)) uploads.watch(request)
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
    const { code = '' } = error
    // Nobody is left to be answered.
    if (!code.startsWith('HPE_') && code !== 'ERR_HTTP_REQUEST_TIMEOUT') socket.destroy()
    else if (!connectionOf(socket).isBroken) {
      if (code === 'HPE_HEADER_OVERFLOW') onLimit('maxHeaderBytes')
      if (code === 'ERR_HTTP_REQUEST_TIMEOUT') onLimit('headTimeoutMs')
      onBroken(socket, new PreauError(CLIENT_ERRORS[code] ?? 'PREAU_BAD_REQUEST'), oddLineOf(error))
    }
  })
  // Node begins to watch these times, and to know what to close, when a server listens.
  server.emit('listening')
  return server
}

/** The request line that Node could not read, where it is one that HTTP allows and begins what came last. */
function oddLineOf(error: { code?: string; rawPacket?: Buffer }): OddRequestLine | undefined {
  const { code, rawPacket } = error
  if (code !== 'HPE_INVALID_METHOD' && code !== 'HPE_INVALID_URL') return undefined
  return rawPacket && readOddRequestLine(firstLineOf(rawPacket))
}

const CLIENT_ERRORS: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'PREAU_HEAD_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'PREAU_REQUEST_TIMEOUT',
}

function serverOptions(limits: Config['limits']): ServerOptions & {
  shouldUpgradeCallback: (request: IncomingMessage) => boolean
} {
  return {
    maxHeaderSize: limits.maxHeaderBytes || 1_048_576,
    headersTimeout: limits.headTimeoutMs,
    // It would bound the whole of an upload; `UploadWatch` bounds its silence and its pace.
    requestTimeout: 0,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.headTimeoutMs || CHECK_MS),
    insecureHTTPParser: false,
    // Node would answer by itself, and no exchange would tell of it.
    requireHostHeader: false,
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
