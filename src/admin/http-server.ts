/** The HTTP server of the admin app with every bound set: connections, heads, times, and what bad bytes are answered. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Duplex } from 'node:stream'
import type { Config } from '../config.ts'
import { inRange, parseCidr } from '../policy/address.ts'
import { parseSocketAddress } from '../policy/host.ts'
import { createArrivals } from './arrival.ts'
import { BARE_HEADERS } from './bare-headers.ts'
import type { AdminLimit } from './limit-tally.ts'
import { speakTls, type ContextFor } from './own-tls.ts'

const CHECK_MS = 5_000
/** A form of 64 kB takes no longer on any line that a school has. */
const REQUEST_TIMEOUT_MS = 30_000
/** Silence both ways; live pages are told something more often (`live.ts`). */
const SILENCE_MS = 60_000
const MAX_HEADER_BYTES = 1_048_576

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Makes a server for one listening address. `onLimit`: somebody ran into one. `contextFor`: the certificates of the panel;
 * undefined where the city has no CA that can be used.
 */
export function createHttpServer(
  handler: Handler,
  config: Config,
  onLimit: (limit: AdminLimit) => void,
  contextFor?: ContextFor,
): Server {
  const { limits, admin } = config
  const { admit, isOwnName } = createArrivals(config, contextFor !== undefined)
  const server = createServer(serverOptions(limits), admit(handler))
  if (contextFor !== undefined) speakTls(server, contextFor, isOwnName)
  server.setTimeout(SILENCE_MS)
  if (limits.adminConnections !== 0) server.maxConnections = limits.adminConnections
  server.on('drop', () => onLimit('adminConnections'))
  boundPerAddress(server, limits.adminConnectionsPerClient, admin.trustedProxies, () =>
    onLimit('adminConnectionsPerClient'),
  )
  server.on('clientError', answerClientError)
  return server
}

function serverOptions(limits: Config['limits']): ServerOptions {
  const requestTimeout = Math.min(REQUEST_TIMEOUT_MS, limits.requestTimeoutMs || REQUEST_TIMEOUT_MS)
  // Node refuses more time for the head than for the whole.
  const headersTimeout = Math.min(limits.headTimeoutMs, requestTimeout)
  return {
    maxHeaderSize: limits.maxHeaderBytes || MAX_HEADER_BYTES,
    headersTimeout,
    requestTimeout,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_MS, headersTimeout || requestTimeout),
  }
}

/** One PC cannot take all connections. A reverse proxy stands for everybody: it is only counted with all the others. */
function boundPerAddress(
  server: Server,
  max: number,
  trusted: readonly string[],
  onRefused: () => void,
): void {
  if (max === 0) return
  const ranges = trusted.flatMap(text => parseCidr(text) ?? [])
  // As many entries as there are connections, at most.
  const open = new Map<string, number>()
  server.on('connection', socket => {
    const address = parseSocketAddress(socket.remoteAddress)
    if (address === undefined || ranges.some(range => inRange(address, range))) return
    const count = (open.get(address) ?? 0) + 1
    if (count > max) {
      onRefused()
      socket.destroy()
      return
    }
    open.set(address, count)
    socket.once('close', () => {
      const rest = (open.get(address) ?? 1) - 1
      if (rest === 0) open.delete(address)
      else open.set(address, rest)
    })
  })
}

const CLIENT_ERRORS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
  const headers = Object.entries(BARE_HEADERS).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status}\r\n${headers.join('')}connection: close\r\ncontent-length: 0\r\n\r\n`,
  )
}
