/** The forward proxy: takes requests, CONNECTs and upgrades, opens an Exchange for each, judges it, and hands it on. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { compilePorts, type Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { parseAbsoluteForm, parseAuthority, parseSocketAddress, type Host } from '../policy/host.ts'
import type { Current } from '../policy/snapshot.ts'
import { answerRequest, answerSocket, type RenderFailure } from './answer.ts'
import type { Dial } from './dial.ts'
import { Exchange } from './exchange.ts'
import type { Forward } from './forward.ts'
import { assertProxyable } from './headers.ts'
import type { Intercept, RefuseRequest } from './intercept.ts'
import { OpenExchanges } from './open-exchanges.ts'
import { ESTABLISHED, openTunnel } from './tunnel.ts'

export interface ProxyOptions {
  readonly config: Config
  readonly current: Current
  readonly clock: () => number
  readonly dial: Dial
  readonly forward: Forward
  /** undefined where there is no CA: a refused CONNECT is then answered 403. */
  readonly intercept: Intercept | undefined
  readonly refuse: RefuseRequest
  readonly renderFailure: RenderFailure
  /** Called once for each exchange, when it has ended. */
  readonly onClose: (exchange: Exchange) => void
}

const UNSPECIFIED = '0.0.0.0' as Host

export class ProxyServer {
  readonly server: Server
  readonly #options: ProxyOptions
  readonly #open: OpenExchanges
  readonly #mayConnect: (port: number) => boolean
  readonly #mayForward: (port: number) => boolean

  constructor(options: ProxyOptions) {
    const { limits, proxy } = options.config
    this.#options = options
    this.#open = new OpenExchanges(options.current, options.clock)
    this.#mayConnect = compilePorts(proxy.connectPorts)
    this.#mayForward = compilePorts(proxy.httpPorts)
    this.server = createServer(serverOptions(limits), (request, response) =>
      this.#onRequest(request, response),
    )
    this.server.on('connect', (request, socket: Socket, head: Buffer) =>
      this.#onConnect(request, socket, head),
    )
    this.server.on('upgrade', (request, socket: Socket, head: Buffer) =>
      this.#onUpgrade(request, socket, head),
    )
    this.server.on('clientError', onClientError)
    if (limits.connections > 0) this.server.maxConnections = limits.connections
  }

  /** Exchanges being relayed now. */
  get openExchanges(): number {
    return this.#open.size
  }

  /**
   * Cuts what is still open; resolves when every exchange has been closed. Call it once the server has stopped listening
   * and had its time to drain.
   */
  close(): Promise<void> {
    const closed = this.#open.close()
    this.#options.intercept?.close()
    this.#options.forward.close()
    this.server.closeAllConnections()
    return closed
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { refuse, forward, renderFailure } = this.#options
    const exchange = this.#openExchange(request)
    response.once('close', () => {
      exchange.status = response.headersSent ? response.statusCode : 0
      exchange.close()
    })
    const fail = (error: PreauError): void => {
      exchange.failure = error.code
      answerRequest(request, response, error, renderFailure)
    }
    guard(fail, () => {
      assertProxyable(request)
      const to = parseAbsoluteForm(request.url ?? '')
      const { client, target, verdict } = exchange.judge(
        to && { ...to.target, path: to.path },
        this.#mayForward,
      )
      if (verdict.action === 'allow') {
        this.#open.relay(exchange)
        forward.request(request, response, { target, path: to?.path ?? '/' }, fail)
      } else refuse(request, response, { client, target, verdict, scheme: 'http' })
    })
  }

  #onConnect(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { exchange, fail } = this.#openOnSocket(request, socket)
    guard(fail, () => {
      assertAlone(socket, exchange)
      const { target, verdict } = exchange.judge(
        parseAuthority(request.url ?? ''),
        this.#mayConnect,
      )
      if (verdict.action === 'allow') {
        this.#open.relay(exchange)
        this.#options.dial(target).then(
          origin => this.#tunnel(exchange, socket, head, origin),
          (error: unknown) => fail(asPreauError(error)),
        )
      } else if (this.#options.intercept === undefined) fail(new PreauError('PREAU_FORBIDDEN'))
      else this.#options.intercept(socket, head, exchange)
    })
  }

  #tunnel(exchange: Exchange, socket: Socket, head: Buffer, origin: Socket): void {
    if (socket.destroyed) {
      origin.destroy()
      return
    }
    exchange.status = 200
    openTunnel(socket, head, origin, {
      established: ESTABLISHED,
      idleTimeoutMs: this.#options.config.limits.tunnelIdleTimeoutMs,
    })
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { exchange, fail } = this.#openOnSocket(request, socket)
    guard(fail, () => {
      assertAlone(socket, exchange)
      assertProxyable(request)
      const to = parseAbsoluteForm(request.url?.replace(/^ws:/i, 'http:') ?? '')
      const { target, verdict } = exchange.judge(
        to && { ...to.target, path: to.path },
        this.#mayForward,
      )
      // A refused WebSocket is no page that a person looks at: the page it belongs to was refused or will be.
      if (verdict.action !== 'allow') throw new PreauError('PREAU_FORBIDDEN')
      this.#open.relay(exchange)
      const onAnswer = (status: number): void => void (exchange.status = status)
      const outcome = { onAnswer, onFailure: fail }
      this.#options.forward.upgrade(
        request,
        socket,
        head,
        { target, path: to?.path ?? '/' },
        outcome,
      )
    })
  }

  /** For what leaves the HTTP server: from here on the socket is ours, with its errors and its end. */
  #openOnSocket(request: IncomingMessage, socket: Duplex) {
    // First of all, before anything can wait: a socket without this listener takes the process down (proxy-chain#53).
    socket.on('error', () => socket.destroy())
    const exchange = this.#openExchange(request)
    socket.once('close', () => exchange.close())
    const fail = (error: PreauError): void => {
      exchange.failure = error.code
      exchange.status = error.status
      answerSocket(socket, error)
    }
    return { exchange, fail }
  }

  #openExchange({ socket, method = '' }: IncomingMessage): Exchange {
    const { current, clock, onClose } = this.#options
    const { snapshot } = current
    const client = snapshot.networks(parseSocketAddress(socket.remoteAddress) ?? UNSPECIFIED)
    const exchange = new Exchange({ socket, method, client, snapshot, now: clock() }, closed => {
      onClose(closed)
      this.#open.delete(closed)
    })
    this.#open.add(exchange)
    return exchange
  }
}

/** Behind a request that has no answer yet, that answer would fall into the tunnel. */
function assertAlone(socket: Socket, exchange: Exchange): void {
  if (!exchange.isBehind) return
  socket.destroy()
  throw new PreauError('PREAU_BAD_REQUEST')
}

function guard(fail: (error: PreauError) => void, run: () => void): void {
  try {
    run()
  } catch (error) {
    fail(asPreauError(error))
  }
}

function asPreauError(error: unknown): PreauError {
  return error instanceof PreauError
    ? error
    : new PreauError('PREAU_BAD_REQUEST', {}, { cause: error })
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
    connectionsCheckingInterval: 5_000,
    noDelay: true,
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

function onClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
