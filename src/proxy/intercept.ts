/**
 * A refused CONNECT: answered 200, TLS ended with a leaf for exactly that host, and the portal's page served on that
 * origin. Only what the policy refuses comes here; an allowed tunnel is never opened.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { hostField, type Host, type Target } from '../policy/host.ts'
import type { Refusal } from '../policy/refusal.ts'
import { decide, type Refuse } from '../policy/verdict.ts'
import type { Current } from '../policy/snapshot.ts'
import { answerSocket } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { firstByte } from './first-byte.ts'
import type { LimitName } from './limit-name.ts'
import { ESTABLISHED } from './tunnel.ts'

/** Hands a refused request to the portal. */
export type RefuseRequest = (
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
) => void

export interface InterceptOptions {
  readonly contextFor: (host: Host) => Promise<SecureContext>
  readonly refuse: RefuseRequest
  readonly current: Current
  readonly clock: () => number
  readonly limits: Config['limits']
  /** Called each time a client runs into a limit. */
  readonly onLimit?: (limit: LimitName) => void
}

export interface Intercept {
  (socket: Socket, head: Buffer, exchange: Exchange): void
  close(): void
}

const TLS_HANDSHAKE = 0x16
/** What a client says that does not know the city's CA (RFC 8446 §6.2): bad_certificate, certificate_unknown, unknown_ca. */
const CERTIFICATE_ALERT = /ALERT_(?:BAD_CERTIFICATE|CERTIFICATE_UNKNOWN|UNKNOWN_CA)$/
const CHECK_MS = 5_000
/** Longer than the beat of a page that follows its request. */
const SILENCE_MS = 60_000

export function createIntercept(options: InterceptOptions): Intercept {
  const exchanges = new WeakMap<Socket, Exchange>()
  const server = createPageServer(options, exchanges)
  const intercept = (socket: Socket, head: Buffer, exchange: Exchange): void => {
    exchange.status = 403
    const onLate = (): void => {
      options.onLimit?.('helloTimeoutMs')
      socket.destroy()
    }
    const deadline = setTimeout(onLate, options.limits.helloTimeoutMs || 2 ** 31 - 1)
    socket.once('close', () => clearTimeout(deadline))
    // Nothing may follow this head before the ClientHello: Chromium gives up on any byte more
    // (http_proxy_client_socket.cc, ERR_TUNNEL_CONNECTION_FAILED).
    socket.write(ESTABLISHED)
    if (head.length > 0) socket.unshift(head)
    endTls(socket, exchange, options).then(
      secure => {
        if (secure === undefined) return
        clearTimeout(deadline)
        exchanges.set(secure, exchange)
        server.emit('connection', secure)
      },
      () => socket.destroy(),
    )
  }
  return Object.assign(intercept, { close: () => server.closeAllConnections() })
}

async function endTls(
  socket: Socket,
  exchange: Exchange,
  options: InterceptOptions,
): Promise<TLSSocket | undefined> {
  const { target } = exchange
  if (target === undefined) throw new TypeError('a refused exchange has a target')
  const first = await firstByte(socket)
  if (first !== TLS_HANDSHAKE) {
    answerSocket(socket, new PreauError('PREAU_FORBIDDEN'))
    return undefined
  }
  const secureContext = await options.contextFor(target.host)
  if (socket.destroyed) return undefined
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: ['http/1.1'],
  })
  secure.on('error', (error: NodeJS.ErrnoException) => {
    if (CERTIFICATE_ALERT.test(error.code ?? '')) exchange.failure = 'PREAU_CERTIFICATE_REFUSED'
    secure.destroy()
  })
  secure.once('close', () => socket.destroy())
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      secure.destroy()
      reject(new PreauError('PREAU_BAD_REQUEST'))
    }
    // A client that leaves in the middle only ends the stream: nothing else would close it before the deadline.
    secure.once('end', leave)
    // An end that came before TLS took this socket over is told by the socket itself.
    socket.once('end', leave)
    secure.once('close', leave)
    secure.once('secure', () => {
      socket.off('end', leave)
      secure.off('end', leave)
      secure.off('close', leave)
      resolve(secure)
    })
  })
}

function createPageServer(options: InterceptOptions, exchanges: WeakMap<Socket, Exchange>): Server {
  const { limits } = options
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes || 1_048_576,
      headersTimeout: limits.headTimeoutMs,
      requestTimeout: limits.headTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, limits.headTimeoutMs || CHECK_MS),
    },
    (request, response) => servePage(request, response, exchanges.get(request.socket), options),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'HPE_HEADER_OVERFLOW') options.onLimit?.('maxHeaderBytes')
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') options.onLimit?.('headTimeoutMs')
    socket.destroy()
  })
  // A reset that meets the answer can leave it unwritten inside the TLS layer, with neither error nor end (Node 26.10).
  server.timeout = Math.min(limits.tunnelIdleTimeoutMs || SILENCE_MS, SILENCE_MS)
  // It never listens, and Node begins to watch these times, and to know what to close, when a server does.
  server.emit('listening')
  return server
}

function servePage(
  request: IncomingMessage,
  response: ServerResponse,
  exchange: Exchange | undefined,
  { current, clock, refuse }: InterceptOptions,
): void {
  const { target } = exchange ?? {}
  if (exchange === undefined || target === undefined) {
    response.destroy()
    return
  }
  // Judged anew: the DSI may have opened the site since this connection began.
  const { snapshot } = current
  const client = snapshot.networks(exchange.client.ip)
  const verdict = decide(snapshot, client, target, clock())
  if (verdict.action === 'allow') sendToOrigin(request, response, target)
  else refuse(request, response, refusalOf(exchange, verdict, client))
}

const refusalOf = (exchange: Exchange, verdict: Refuse, client: Refusal['client']): Refusal => ({
  client,
  target: exchange.target as NonNullable<Exchange['target']>,
  verdict,
  scheme: 'https',
})

/**
 * This TLS ends with us, so the allowed site cannot be served here: the same address again, on a new connection. Our own
 * forms and streams mean nothing to the site: it gets a plain GET of its first page instead.
 */
function sendToOrigin(request: IncomingMessage, response: ServerResponse, target: Target): void {
  const { url = '/' } = request
  const isOurs = url.startsWith('/.preau/') || !url.startsWith('/')
  response.writeHead(isOurs ? 303 : 307, {
    // With its host: a path that begins with `//` would lead to another one.
    Location: `https://${hostField(target, 443)}${isOurs ? '/' : url}`,
    'Cache-Control': 'no-store',
    'Content-Length': 0,
    Connection: 'close',
  })
  response.end()
}
