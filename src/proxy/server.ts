/** The forward proxy: takes CONNECTs, requests and upgrades, opens an Exchange for each, judges it, and hands it on. */
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { parseAbsoluteForm, parseSocketAddress, type Host } from '../policy/host.ts'
import type { Client } from '../policy/network.ts'
import { compilePorts } from '../policy/ports.ts'
import type { Current } from '../policy/snapshot.ts'
import { decide } from '../policy/verdict.ts'
import { Admission } from './admission.ts'
import { answerRequest, type RenderFailure } from './answer.ts'
import { answerBroken } from './broken.ts'
import { Connecting, type ConnectHead, type ConnectParts } from './connect.ts'
import type { Dial } from './dial.ts'
import { Connection, connectionOf, Exchange } from './exchange.ts'
import type { Forward } from './forward.ts'
import { createFrontDoor, type FrontDoor } from './front-door.ts'
import { assertProxyable } from './headers.ts'
import { createHttpServer } from './http-server.ts'
import { guard } from './guard.ts'
import { answerHealth, isHealthQuestion } from './health.ts'
import type { Intercept, RefuseRequest } from './intercept.ts'
import type { LimitName } from './limit-name.ts'
import { OpenExchanges } from './open-exchanges.ts'
import type { OddRequestLine } from './request-line.ts'
import { SilenceWatch } from './silence.ts'
import { WebSockets } from './websockets.ts'

export interface ProxyOptions {
  readonly config: Config
  readonly current: Current
  readonly clock: () => number
  /** `decide` when absent; the same with its times counted. */
  readonly decide?: typeof decide
  readonly dial: Dial
  readonly forward: Forward
  /** undefined where there is no CA: a refused CONNECT is then answered 403. */
  readonly intercept: Intercept | undefined
  readonly refuse: RefuseRequest
  readonly renderFailure: RenderFailure
  /** Called once for each exchange, when it has ended. */
  readonly onClose: (exchange: Exchange) => void
  /** So many exchanges of a client were refused in a minute, beyond its allowance, without a line of their own. */
  readonly onFlood?: (client: Client, times: number) => void
  /** Called each time a client runs into a limit. */
  readonly onLimit?: (limit: LimitName) => void
}

const UNSPECIFIED = '0.0.0.0' as Host

export class ProxyServer {
  readonly #options: ProxyOptions
  readonly #onLimit: (limit: LimitName) => void
  readonly #admission: Admission
  readonly #open: OpenExchanges
  readonly #silence: SilenceWatch
  readonly #parts: ConnectParts
  readonly #webSockets: WebSockets
  readonly #mayForward: (port: number) => boolean
  readonly #http: HttpServer
  readonly #door: FrontDoor

  constructor(options: ProxyOptions) {
    const { limits, proxy } = options.config
    this.#options = options
    this.#onLimit = options.onLimit ?? (() => undefined)
    this.#admission = new Admission({
      limits,
      clock: options.clock,
      schools: () => options.current.snapshot.schools,
      onLimit: this.#onLimit,
      onFlood: options.onFlood ?? (() => undefined),
    })
    this.#open = new OpenExchanges(options.current, options.clock, limits.tunnelTimeoutMs, () =>
      this.#onLimit('tunnelTimeoutMs'),
    )
    this.#silence = new SilenceWatch(limits.tunnelIdleTimeoutMs, () =>
      this.#onLimit('tunnelIdleTimeoutMs'),
    )
    this.#mayForward = compilePorts(proxy.httpPorts)
    this.#webSockets = new WebSockets({
      limits,
      admission: this.#admission,
      open: this.#open,
      forward: options.forward,
      mayForward: this.#mayForward,
      onLimit: this.#onLimit,
    })
    const mayConnect = compilePorts(proxy.connectPorts)
    this.#parts = {
      admission: this.#admission,
      open: this.#open,
      dial: options.dial,
      intercept: options.intercept,
      silence: this.#silence,
      webSockets: this.#webSockets,
      mayConnect,
      mayReach: port => mayConnect(port) || this.#mayForward(port),
      helloTimeoutMs: limits.helloTimeoutMs,
      onLimit: this.#onLimit,
    }
    const onBroken = (socket: Socket, error: PreauError, odd?: OddRequestLine): void =>
      answerBroken(connectionOf(socket), { error, odd, open: this.#openUnreadable })
    this.#http = createHttpServer({ limits, onLimit: this.#onLimit, onBroken })
    this.#http.on('request', (request, response) => this.#onRequest(request, response))
    this.#http.on('upgrade', (request, socket: Socket, head: Buffer) =>
      this.#onUpgrade(request, socket, head),
    )
    this.#http.on('connect', (request, stream: Duplex, rest: Buffer) => {
      const { socket } = request
      // Where a body is announced Node gives a stream of its own making, which tells the errors of the socket again.
      if (stream !== socket) stream.on('error', () => undefined)
      socket.pause()
      this.#onConnect(connectionOf(socket), { authority: request.url ?? '', rest, request })
    })
    this.#door = createFrontDoor({
      limits,
      admission: this.#admission,
      clientOf: socket => this.#clientOf(socket),
      http: this.#http,
      onBroken,
      onConnect: (socket, authority, rest) =>
        this.#onConnect(new Connection(socket), { authority, rest }),
      onLimit: this.#onLimit,
    })
  }

  /** What listens. */
  get server(): Server {
    return this.#door.server
  }

  /** Exchanges being relayed now. */
  get openExchanges(): number {
    return this.#open.size
  }

  /** From now on an answer ends its connection; what is a tunnel stays one. */
  endConnections(): void {
    // Before the listener that may answer at once.
    this.#http.prependListener('request', (_request, response) => {
      response.shouldKeepAlive = false
    })
  }

  /** Closes the connections on which no exchange is open. */
  closeIdle(): void {
    this.#door.closeWaiting()
    this.#http.closeIdleConnections()
  }

  /**
   * Cuts what is still open; resolves when every exchange has been closed. Call it once the server has stopped listening
   * and had its time to drain.
   */
  close(): Promise<void> {
    const closed = this.#open.close()
    this.#options.intercept?.close()
    this.#options.forward.close()
    this.#webSockets.close()
    this.#door.closeWaiting()
    this.#http.closeAllConnections()
    this.#http.close()
    this.#silence.close()
    this.#admission.close()
    return closed
  }

  #onConnect(connection: Connection, head: ConnectHead): void {
    const exchange = this.#openExchange(connection, 'CONNECT')
    new Connecting(this.#parts, connection.socket, exchange).take(head)
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    if (isHealthQuestion(request)) {
      if (!this.#admission.mayOpen(this.#clientOf(request.socket))) response.writeHead(429).end()
      else answerHealth(request, response)
      return
    }
    const { refuse, forward, renderFailure } = this.#options
    const exchange = this.#openExchange(connectionOf(request.socket), request.method ?? '')
    exchange.response = response
    response.once('close', () => {
      if (response.headersSent) exchange.status = response.statusCode
      exchange.close()
    })
    const fail = (error: PreauError): void => {
      exchange.failure = error.code
      answerRequest(request, response, error, renderFailure)
    }
    guard(fail, () => {
      this.#admission.assertMayOpen(exchange)
      this.#admission.assertHead(request)
      if (exchange.isTooDeep) throw new PreauError('PREAU_TOO_MANY_REQUESTS')
      assertHttp(request, exchange)
      assertProxyable(request)
      const to = parseAbsoluteForm(request.url ?? '')
      const { client, target, verdict } = exchange.judge(
        to && { ...to.target, path: to.path },
        this.#mayForward,
      )
      if (verdict.action === 'allow') {
        this.#open.relay(exchange)
        forward.request(request, response, { client, target, path: to?.path ?? '/' }, fail)
      } else refuse(request, response, { client, target, verdict, scheme: 'http' })
    })
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => socket.destroy())
    const exchange = this.#openExchange(connectionOf(socket), request.method ?? '')
    this.#webSockets.upgrade(exchange, request, socket, head)
  }

  readonly #openUnreadable = (connection: Connection, method: string): Exchange => {
    const exchange = this.#openExchange(connection, method)
    exchange.isTold = this.#admission.mayTellUnreadable(exchange.client)
    return exchange
  }

  readonly #onClose = (exchange: Exchange): void => {
    this.#options.onClose(exchange)
    this.#open.delete(exchange)
  }

  #clientOf({ remoteAddress }: Socket): Client {
    const { snapshot } = this.#options.current
    return snapshot.networks(parseSocketAddress(remoteAddress) ?? UNSPECIFIED)
  }

  #openExchange(connection: Connection, method: string): Exchange {
    const { current, clock, decide: judge = decide } = this.#options
    const { snapshot } = current
    const client = this.#clientOf(connection.socket)
    const exchange = new Exchange(
      { connection, method, client, snapshot, now: clock(), decide: judge },
      this.#onClose,
    )
    this.#open.add(exchange)
    return exchange
  }
}

/**
 * Node's parser reads `RTSP/1.0` and `ICE/1.0` as HTTP/1.0. The first line of a connection was looked at; behind another
 * request nobody speaks HTTP/1.0.
 */
function assertHttp({ httpVersionMinor }: IncomingMessage, { isFirst }: Exchange): void {
  if (httpVersionMinor === 0 && !isFirst) throw new PreauError('PREAU_BAD_REQUEST')
}
