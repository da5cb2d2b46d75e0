/**
 * Connections that begin with a request line which Node's parser refuses. Their bytes pass here on their way to Node's server:
 * such a line is replaced by one that Node reads, and put back on the request before anybody judges it. Everything else
 * is handed on untouched, in pieces that end where Node says that a message ends, so that no body is taken for a line; where
 * the two do not agree, the connection is cut.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config.ts'
import { connectionOf } from './exchange.ts'
import { LastChunk } from './last-chunk.ts'
import { readOddRequestLine, type OddRequestLine } from './request-line.ts'

const LINE_END = 10
const HEAD_END = Buffer.from('\r\n\r\n')
const NOTHING = Buffer.alloc(0)

type Limits = Pick<Config['limits'], 'maxHeaderBytes' | 'headTimeoutMs'>

export class OddRequests {
  readonly #http: Server
  readonly #limits: Limits
  /** Whose bytes Node reads at this moment. */
  #reading: OddConnection | undefined

  constructor(http: Server, limits: Limits) {
    this.#http = http
    this.#limits = limits
    const onRequest = (request: IncomingMessage): void => this.#reading?.onRequest(request)
    const onLeave = (request: IncomingMessage): void => this.#reading?.onLeave(request)
    // Before anybody judges them.
    http.prependListener('request', onRequest)
    http.prependListener('upgrade', onLeave).prependListener('connect', onLeave)
  }

  /** Takes a connection on which `bytes` have come, and which nobody else reads. */
  take(socket: Socket, bytes: Buffer): void {
    this.#http.emit('connection', socket)
    const connection = new OddConnection(socket, this.#limits, read => {
      this.#reading = connection
      try {
        read()
      } finally {
        this.#reading = undefined
      }
    })
    socket.unshift(bytes)
    socket.resume()
  }
}

type State = 'line' | 'head' | 'length' | 'chunks' | 'trailers' | 'untouched' | 'left'

class OddConnection {
  readonly #socket: Socket
  readonly #limits: Limits
  readonly #whileReading: (read: () => void) => void
  /** Node's own listener for bytes. */
  readonly #toNode: (bytes: Buffer) => void
  #state: State = 'line'
  /** Of a line that is not whole. */
  #held: Buffer = NOTHING
  #deadline: NodeJS.Timeout | undefined
  #odd: OddRequestLine | undefined
  /** The last bytes of the message that Node has. */
  #tail: Buffer = NOTHING
  #request: IncomingMessage | undefined
  #bodyBytesLeft = 0
  #lastChunk = new LastChunk()

  constructor(socket: Socket, limits: Limits, whileReading: (read: () => void) => void) {
    this.#socket = socket
    this.#limits = limits
    this.#whileReading = whileReading
    const [toNode, ...others] = socket.listeners('data')
    if (toNode === undefined || others.length > 0)
      throw new TypeError('Node no longer reads a connection by one listener: look at its changes')
    this.#toNode = toNode as (bytes: Buffer) => void
    // Node reads the socket below its stream until somebody listens.
    socket.on('data', this.#onData)
    socket.off('data', this.#toNode)
    socket.prependListener('end', this.#giveUp)
    socket.once('close', () => clearTimeout(this.#deadline))
  }

  onRequest(request: IncomingMessage): void {
    this.#request = request
    if (this.#odd === undefined) return
    request.method = this.#odd.method
    request.url = this.#odd.target
  }

  onLeave(request: IncomingMessage): void {
    this.onRequest(request)
    this.#state = 'left'
    this.#socket.off('data', this.#onData).off('end', this.#giveUp)
  }

  readonly #onData = (chunk: Buffer): void => {
    const socket = this.#socket
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    this.#held = NOTHING
    while (rest.length > 0 && !socket.destroyed) {
      // Node wants no more for now, or somebody else reads on.
      if (this.#state === 'left' || socket.isPaused()) {
        socket.unshift(rest)
        return
      }
      const length = this.#pieceOf(rest)
      if (length === 0) {
        this.#hold(rest)
        return
      }
      this.#pass(rest.subarray(0, length))
      rest = rest.subarray(length)
    }
  }

  #hold(line: Buffer): void {
    this.#held = line
    if (this.#limits.headTimeoutMs > 0)
      this.#deadline ??= setTimeout(this.#giveUp, this.#limits.headTimeoutMs)
  }

  /** Node times, bounds and answers what is no request line. */
  readonly #giveUp = (): void => {
    const held = this.#held
    if (held.length === 0) return
    this.#held = NOTHING
    this.#state = 'untouched'
    this.#send(held)
  }

  /** How many of these bytes are one piece; 0: more must come first. */
  #pieceOf(bytes: Buffer): number {
    switch (this.#state) {
      case 'line': {
        const end = bytes.indexOf(LINE_END) + 1
        if (end === 0 && bytes.length > (this.#limits.maxHeaderBytes || Infinity))
          this.#state = 'untouched'
        return this.#state === 'line' ? end : bytes.length
      }
      case 'head':
      case 'trailers':
        return this.#endIn(bytes) ?? bytes.length
      case 'chunks': {
        const end = this.#lastChunk.endIn(bytes)
        if (end === undefined) return bytes.length
        this.#state = 'trailers'
        return end
      }
      case 'length':
        return Math.min(bytes.length, this.#bodyBytesLeft)
      default:
        return bytes.length
    }
  }

  /** Where the first empty line in these bytes ends, with what came before them. */
  #endIn(bytes: Buffer): number | undefined {
    const tail = this.#tail.length
    const across = Buffer.concat([this.#tail, bytes.subarray(0, HEAD_END.length - 1)]).indexOf(
      HEAD_END,
    )
    const start = across === -1 ? bytes.indexOf(HEAD_END) : across - tail
    return across === -1 && start === -1 ? undefined : start + HEAD_END.length
  }

  #pass(piece: Buffer): void {
    if (this.#state === 'line') this.#passLine(piece)
    else if (this.#state === 'head') this.#passHead(piece)
    else if (this.#request === undefined) this.#send(piece)
    else this.#passBody(piece, this.#request)
  }

  #passLine(line: Buffer): void {
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    this.#request = undefined
    this.#odd = readOddRequestLine(line.toString('latin1'))
    // Empty lines before it are none (RFC 9112 §2.2).
    if (line.length > 2) this.#state = 'head'
    this.#tail = line.subarray(-2)
    this.#send(this.#odd?.standIn ?? line)
  }

  #passHead(piece: Buffer): void {
    const isWhole = this.#endsWhole(piece)
    this.#send(piece)
    if (this.#state !== 'head') return
    const request = this.#request
    if (isWhole !== (request !== undefined)) this.#disagree()
    else if (request !== undefined) this.#expectBody(request)
  }

  #expectBody(request: IncomingMessage): void {
    const length = Number(request.headers['content-length'] ?? 0)
    this.#bodyBytesLeft = length
    this.#lastChunk = new LastChunk()
    this.#state = request.complete ? 'line' : length > 0 ? 'length' : 'chunks'
  }

  #passBody(piece: Buffer, request: IncomingMessage): void {
    this.#bodyBytesLeft -= piece.length
    const isEnd = this.#endsWhole(piece)
    const isWhole = this.#state === 'trailers' ? isEnd : this.#bodyBytesLeft === 0
    this.#send(piece)
    if (request.complete !== isWhole) this.#disagree()
    else if (isWhole) this.#state = 'line'
  }

  /** Whether the piece ends as only heads and trailers do. */
  #endsWhole(piece: Buffer): boolean {
    const end = Buffer.concat([this.#tail, piece.subarray(-HEAD_END.length)]).subarray(
      -HEAD_END.length,
    )
    this.#tail = end.subarray(-HEAD_END.length + 1)
    return end.equals(HEAD_END)
  }

  /** Of what Node could not read it says so elsewhere, and the answer is under way. */
  #disagree(): void {
    this.#state = 'untouched'
    this.#request = undefined
    if (!connectionOf(this.#socket).isBroken) this.#socket.destroy()
  }

  #send(bytes: Buffer): void {
    this.#whileReading(() => this.#toNode.call(this.#socket, bytes))
  }
}
