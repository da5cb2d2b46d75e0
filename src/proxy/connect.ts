/** A CONNECT from its head to its tunnel: judged, dialled, answered. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { PreauError } from '../errors.ts'
import { parseAuthority, type Target } from '../policy/host.ts'
import type { Verdict } from '../policy/verdict.ts'
import type { Admission } from './admission.ts'
import { answerSocket } from './answer.ts'
import type { Dial } from './dial.ts'
import type { Exchange } from './exchange.ts'
import { asPreauError, guard } from './guard.ts'
import { assertProxyable } from './headers.ts'
import { helloGate } from './hello-gate.ts'
import type { Intercept } from './intercept.ts'
import type { LimitName } from './limit-name.ts'
import type { OpenExchanges } from './open-exchanges.ts'
import { Pump } from './pump.ts'
import type { Waiting } from './resolver.ts'
import type { SilenceWatch } from './silence.ts'
import { ESTABLISHED, NOTHING, openTunnel } from './tunnel.ts'
import type { WebSockets } from './websockets.ts'
import { hold, release, type Holder } from './wire.ts'

/** What all CONNECTs of a server share. */
export interface ConnectParts {
  readonly admission: Admission
  readonly open: OpenExchanges
  readonly dial: Dial
  readonly intercept: Intercept | undefined
  readonly silence: SilenceWatch
  /** What a CONNECT to a port of plain HTTP is for. */
  readonly webSockets: WebSockets
  readonly mayConnect: (port: number) => boolean
  /** The same, and the ports of plain HTTP. */
  readonly mayReach: (port: number) => boolean
  readonly helloTimeoutMs: number
  readonly onLimit: (limit: LimitName) => void
}

/** What one of them says. */
export interface ConnectHead {
  readonly authority: string
  /** The bytes that came behind its head. */
  readonly rest: Buffer
  /** There when Node's parser has read its head. */
  readonly request?: IncomingMessage
}

export class Connecting implements Holder {
  readonly #parts: ConnectParts
  readonly #socket: Socket
  readonly #exchange: Exchange
  /** There while the origin is dialled. */
  #dialling: Waiting | undefined
  /** What came behind the head, and while the origin was dialled. */
  #rest = NOTHING

  constructor(parts: ConnectParts, socket: Socket, exchange: Exchange) {
    this.#parts = parts
    this.#socket = socket
    this.#exchange = exchange
    hold(socket, this)
  }

  take(head: ConnectHead): void {
    guard(this.#fail, () => this.#take(head))
  }

  #take({ authority, rest, request }: ConnectHead): void {
    const { admission, open, dial, intercept, mayConnect, mayReach } = this.#parts
    const exchange = this.#exchange
    const socket = this.#socket
    exchange.assertAlone()
    admission.assertMayOpen(exchange)
    if (request !== undefined) {
      admission.assertHead(request)
      assertProxyable(request)
    }
    const { target, verdict } = exchange.judge(parseAuthority(authority), mayReach)
    if (!mayConnect(target.port)) this.#toWebSocket(verdict, target, rest)
    else if (verdict.action === 'allow') {
      open.relay(exchange)
      this.#rest = rest
      const pump = new Pump(socket)
      this.#dialling = dial(
        target,
        exchange.client,
        (origin, error) => {
          this.#dialling = undefined
          if (origin === undefined) this.#fail(asPreauError(error))
          else this.#tunnel(origin, pump)
        },
        pump.onread,
      )
    } else if (intercept === undefined) this.#fail(new PreauError('PREAU_FORBIDDEN'))
    else {
      socket.pause()
      release(socket)
      socket.once('close', () => exchange.close())
      intercept(socket, rest, exchange)
    }
  }

  #toWebSocket({ action }: Verdict, { port }: Target, rest: Buffer): void {
    const exchange = this.#exchange
    if (!exchange.mayCarry('websocket')) throw new PreauError('PREAU_PORT_REFUSED', { port })
    // A refused WebSocket is no page that a person looks at.
    if (action !== 'allow') throw new PreauError('PREAU_FORBIDDEN')
    release(this.#socket)
    this.#parts.webSockets.tunnel(exchange, this.#socket, rest)
  }

  #tunnel(origin: Socket, pump: Pump): void {
    const exchange = this.#exchange
    if (this.#socket.destroyed) {
      origin.destroy()
      return
    }
    exchange.status = 200
    openTunnel(this.#socket, this.#rest, origin, {
      established: ESTABLISHED,
      silence: this.#parts.silence,
      pump,
      gate: helloGate(exchange, this.#parts.helloTimeoutMs, this.#parts.onLimit),
      exchange,
    })
  }

  readonly #fail = (error: PreauError): void => {
    this.#exchange.failure = error.code
    this.#exchange.status = error.status
    answerSocket(this.#socket, error)
    // What still comes is thrown away, so that its end is seen.
    this.#socket.resume()
  }

  /** A client that does not wait for the answer: a first piece is kept, what follows waits in its stream. */
  onData(chunk: Buffer): void {
    if (this.#exchange.failure !== undefined) return
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#socket.pause()
  }

  onEnd(): void {}
  onDrain(): void {}

  onClose(): void {
    this.#dialling?.abandon()
    this.#exchange.close()
  }
}
