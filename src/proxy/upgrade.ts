/** A WebSocket handshake over plain HTTP. Once the origin has accepted it, frames both ways and nothing else. */
import {
  request as httpRequest,
  ServerResponse,
  type Agent,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http'
import type { Socket } from 'node:net'
import { PreauError } from '../errors.ts'
import type { AbsoluteForm } from '../policy/host.ts'
import { Frames } from './frames.ts'
import { accepts } from './handshake.ts'
import { answerFields, prepareUpgrade } from './headers.ts'
import { HALF_CLOSED_MS } from './http-server.ts'
import { failureOf, relayAnswer, type OnFailure } from './relay.ts'
import type { SilenceWatch } from './silence.ts'
import { openTunnel, type Gate } from './tunnel.ts'
import { hold, type Holder } from './wire.ts'

export interface UpgradeOptions {
  readonly agent: Agent
  readonly silence: SilenceWatch
}

/** What becomes of a handshake: one of the first two is called, unless the client leaves before. */
export interface UpgradeOutcome {
  readonly onAnswer: (status: number) => void
  readonly onFailure: OnFailure
  /** It stood, and one side said something that is no frame: it was cut. */
  readonly onOtherProtocol: () => void
}

/** Sends the handshake on; relays the plain answer of an origin that does not switch, and then closes. */
export function relayUpgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  { target, path }: AbsoluteForm,
  { agent, silence }: UpgradeOptions,
  { onAnswer, onFailure, onOtherProtocol }: UpgradeOutcome,
): void {
  const key = request.headers['sec-websocket-key'] ?? ''
  prepareUpgrade(request, target)
  const { host, port } = target
  const outgoing = httpRequest({ agent, host, port, path, headers: request.headers })
  const waiting = new Waiting(socket, head, outgoing)
  outgoing.on('error', error => {
    // Behind half an answer another one would be read as its body: `relayAnswer` breaks it off.
    if (waiting.answer === undefined) onFailure(failureOf(error, target))
  })
  outgoing.once('response', answer => {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => socket.destroySoon())
    if (!relayAnswer(answer, response, target, onFailure)) return
    waiting.answer = response
    onAnswer(response.statusCode)
  })
  outgoing.once('upgrade', (answer, origin: Socket, early) => {
    if (!accepts(answer.headers, key)) {
      origin.destroy()
      onFailure(new PreauError('PREAU_BAD_ANSWER', { host }))
      return
    }
    waiting.end()
    onAnswer(101)
    origin.setTimeout(0)
    if (early.length > 0) origin.unshift(early)
    openTunnel(socket, waiting.early, origin, {
      established: switched(answer),
      silence,
      gate: frameGate(answer, socket, origin, onOtherProtocol),
      exchange: { close: () => undefined },
    })
  })
  outgoing.end()
}

/**
 * The client while its handshake is on its way. One that has left looks like one that has ended its sending and still
 * listens: after a moment its end takes the connection to the origin with it.
 */
class Waiting implements Holder {
  /** What it has said beyond its handshake; of what comes too early a first piece is kept, the rest waits in its stream. */
  early: Buffer
  /** Once one is relayed: a client that has said all may still want to hear it. */
  answer: ServerResponse | undefined
  readonly #socket: Socket
  readonly #outgoing: ClientRequest
  #farewell: NodeJS.Timeout | undefined

  constructor(socket: Socket, early: Buffer, outgoing: ClientRequest) {
    this.early = early
    this.#socket = socket
    this.#outgoing = outgoing
    hold(socket, this)
  }

  onData(chunk: Buffer): void {
    if (this.answer !== undefined) return
    this.early = this.early.length === 0 ? chunk : Buffer.concat([this.early, chunk])
    this.#socket.pause()
  }

  onEnd(): void {
    this.#farewell = setTimeout(() => {
      if (this.answer === undefined) this.#socket.destroy()
    }, HALF_CLOSED_MS)
  }

  /** It has its answer, and belongs to somebody else from now on. */
  end(): void {
    clearTimeout(this.#farewell)
  }

  /** The HTTP server has let go of this socket, so nobody else tells the answer to go on. */
  onDrain(): void {
    this.answer?.emit('drain')
  }

  onClose(): void {
    clearTimeout(this.#farewell)
    this.#outgoing.destroy()
  }
}

/** Lets frames pass as long as both sides say nothing else. */
function frameGate(
  { headers }: IncomingMessage,
  client: Socket,
  origin: Socket,
  onOtherProtocol: () => void,
): Gate {
  const mayCompress = headers['sec-websocket-extensions'] !== undefined
  const ofClient = new Frames({ side: 'client', mayCompress })
  const ofServer = new Frames({ side: 'server', mayCompress })
  return {
    timeoutMs: 0,
    onTimeout: () => undefined,
    admit(bytes) {
      if (ofClient.take(bytes)) return bytes.length
      onOtherProtocol()
      return 'refuse'
    },
    hear(bytes) {
      if (ofServer.take(bytes)) return true
      onOtherProtocol()
      client.resetAndDestroy()
      origin.resetAndDestroy()
      return false
    },
  }
}

/** The head of the 101 for the client: a switch is of one hop, and this hop switches too. */
function switched({ rawHeaders, headers, httpVersion }: IncomingMessage): Buffer {
  const fields = answerFields(rawHeaders, headers.connection, httpVersion, 101)
  let head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
  return Buffer.from(`${head}\r\n`, 'latin1')
}
