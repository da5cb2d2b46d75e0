/**
 * The two doors of a WebSocket over plain HTTP. Programs send its handshake to the proxy as they do any request. Browsers ask
 * for a tunnel first (RFC 6455 §4.1): such a CONNECT to a port of plain HTTP carries one handshake, judged like the other
 * one, and nothing else.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config.ts'
import { PreauError, type ErrorCode } from '../errors.ts'
import { parseAbsoluteForm, type AbsoluteForm } from '../policy/host.ts'
import type { Admission } from './admission.ts'
import { answerSocket } from './answer.ts'
import type { Exchange } from './exchange.ts'
import type { Forward } from './forward.ts'
import { guard } from './guard.ts'
import { asksForWebSocket, assertHandshake } from './handshake.ts'
import { assertProxyable } from './headers.ts'
import type { LimitName } from './limit-name.ts'
import type { OpenExchanges } from './open-exchanges.ts'
import { ESTABLISHED } from './tunnel.ts'

export interface WebSocketsOptions {
  readonly limits: Config['limits']
  readonly admission: Admission
  readonly open: OpenExchanges
  readonly forward: Forward
  /** The ports of plain HTTP. */
  readonly mayForward: (port: number) => boolean
  readonly onLimit: (limit: LimitName) => void
}

const CHECK_MS = 5_000
const TLS_HANDSHAKE = 0x16

export class WebSockets {
  readonly #options: WebSocketsOptions
  readonly #server: Server
  readonly #exchanges = new WeakMap<Socket, Exchange>()

  constructor(options: WebSocketsOptions) {
    this.#options = options
    this.#server = this.#createServer(options.limits)
  }

  /** A handshake that was sent to the proxy as a request. */
  upgrade(exchange: Exchange, request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.once('close', () => exchange.close())
    guard(failing(exchange, socket), () => {
      exchange.assertAlone()
      this.#options.admission.assertMayOpen(exchange)
      const to = parseAbsoluteForm(request.url?.replace(/^ws:/i, 'http:') ?? '')
      this.#relay(exchange, request, socket, head, to)
    })
  }

  /** A CONNECT whose host is allowed. `rest`: what came behind its head. */
  tunnel(exchange: Exchange, socket: Socket, rest: Buffer): void {
    socket.once('close', () => exchange.close())
    exchange.status = 200
    this.#exchanges.set(socket, exchange)
    socket.write(ESTABLISHED)
    if (rest.length > 0) socket.unshift(rest)
    this.#server.emit('connection', socket)
  }

  /** Ends those that have not sent their handshake. */
  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #relay(
    exchange: Exchange,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    to: AbsoluteForm | undefined,
  ): void {
    const { admission, open, forward, mayForward } = this.#options
    const onFailure = failing(exchange, socket)
    admission.assertHead(request)
    assertProxyable(request)
    const { client, target, verdict } = exchange.judge(
      to && { ...to.target, path: to.path },
      mayForward,
    )
    // A refused WebSocket is no page that a person looks at: the page it belongs to was refused or will be.
    if (verdict.action !== 'allow' || !exchange.mayCarry('websocket'))
      throw new PreauError('PREAU_FORBIDDEN')
    assertHandshake(request)
    open.relay(exchange)
    const path = to?.path ?? '/'
    forward.upgrade(
      request,
      socket,
      head,
      { client, target, path },
      {
        onAnswer: status => void (exchange.status = status),
        onFailure,
        onOtherProtocol: () => void (exchange.failure = 'PREAU_NOT_WEBSOCKET'),
      },
    )
  }

  #onTunnelled(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const exchange = this.#exchanges.get(socket)
    const outer = exchange?.target
    if (exchange === undefined || outer === undefined) {
      socket.destroy()
      return
    }
    guard(failing(exchange, socket), () => {
      const { url = '', headers } = request
      // Read as an address it is what the origin makes of it, and a name other than that of the CONNECT is a lie of one.
      const to = parseAbsoluteForm(`http://${headers.host}${url}`)
      const isSame = to?.target.host === outer.host && to.target.port === outer.port
      if (!isSame || to.path !== url) throw new PreauError('PREAU_BAD_TARGET')
      this.#relay(exchange, request, socket, head, to)
    })
  }

  /** Whatever else is asked for. */
  #refuse(socket: Socket, code: ErrorCode): void {
    const exchange = this.#exchanges.get(socket)
    if (exchange === undefined || exchange.failure !== undefined) socket.destroy()
    else failing(exchange, socket)(new PreauError(code, { port: exchange.target?.port ?? 0 }))
  }

  #createServer(limits: Config['limits']): Server {
    const server = createServer({
      maxHeaderSize: limits.maxHeaderBytes || 1_048_576,
      headersTimeout: limits.headTimeoutMs,
      requestTimeout: limits.headTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, limits.headTimeoutMs || CHECK_MS),
      insecureHTTPParser: false,
      shouldUpgradeCallback: asksForWebSocket,
    })
    // Whoever judges a request counts its fields.
    server.maxHeadersCount = 0
    const refuse = ({ socket }: IncomingMessage): void =>
      this.#refuse(socket, 'PREAU_NOT_WEBSOCKET')
    server.on('request', refuse).on('checkContinue', refuse).on('checkExpectation', refuse)
    server.on('connect', refuse)
    server.on('upgrade', (request, socket: Socket, head: Buffer) =>
      this.#onTunnelled(request, socket, head),
    )
    server.on('clientError', (error: BrokenHead, socket: Socket) => {
      if (error.code === 'HPE_HEADER_OVERFLOW') this.#options.onLimit('maxHeaderBytes')
      if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') this.#options.onLimit('headTimeoutMs')
      // That TLS has no place on this port is what the log should say of it.
      const isTls = error.rawPacket?.[0] === TLS_HANDSHAKE
      this.#refuse(socket, isTls ? 'PREAU_PORT_REFUSED' : 'PREAU_NOT_WEBSOCKET')
    })
    // It never listens, and Node begins to watch these times, and to know what to close, when a server does.
    server.emit('listening')
    return server
  }
}

type BrokenHead = NodeJS.ErrnoException & { readonly rawPacket?: Buffer }

function failing(exchange: Exchange, socket: Socket): (error: PreauError) => void {
  return error => {
    exchange.failure = error.code
    exchange.status = error.status
    answerSocket(socket, error)
  }
}
