/** An allowed CONNECT, or a WebSocket once it stands: bytes both ways until both sides have ended (RFC 9110 §9.3.6). */
import type { Socket } from 'node:net'
import { BULK_BYTES, Pump } from './pump.ts'
import { readInto } from './read-buffer.ts'
import type { SilenceWatch, Watched } from './silence.ts'
import { hold, type Holder } from './wire.ts'

export interface TunnelOptions {
  /** The head that tells the client that the tunnel stands. */
  readonly established: string | Buffer
  /** Ends it when neither side has anything to say for too long. */
  readonly silence: SilenceWatch
  /** What the origin was connected with; undefined: its bytes come through its stream. */
  readonly pump?: Pump
  /** Sees what the client says first, before the origin does; undefined: nobody looks. */
  readonly gate?: Gate
  /** What ends with the client's side. */
  readonly exchange: { close(): void }
}

/** Judges the first bytes of a client. */
export interface Gate {
  /**
   * Judges what has come and has not gone on. A number: so many bytes of it go on, and the gate stays shut behind them; 'more': none
   * yet; 'pass': all of it, and all to come.
   */
  readonly admit: (held: Buffer) => number | 'more' | 'pass' | 'refuse'
  /** Is given what the origin says, as long as it answers true: it wants to hear more. */
  readonly hear?: (bytes: Buffer) => boolean
  /** From the first byte to a judgement; 0: no bound. */
  readonly timeoutMs: number
  /** It did not come to one in time; the tunnel is cut. */
  readonly onTimeout: () => void
}

export const ESTABLISHED = Buffer.from('HTTP/1.1 200 Connection Established\r\n\r\n')
export const NOTHING: Buffer = Buffer.alloc(0)
/** So many reads like a bulk one are an upload. */
const LARGE_READS = 8

/** Answers and relays. `head` holds the bytes that came after the head of the CONNECT; they are not lost. */
export function openTunnel(
  client: Socket,
  head: Buffer,
  origin: Socket,
  options: TunnelOptions,
): void {
  const originEnd = new OriginEnd(origin, client, options)
  const clientEnd = new ClientEnd(client, origin, options, originEnd)
  originEnd.listen = clientEnd.listen
  if (options.pump !== undefined) options.pump.listen = clientEnd.listen
  hold(client, clientEnd)
  hold(origin, originEnd, options.pump === undefined)
  // What is read on one side is written on the other, so one watch hears the silence of both.
  options.silence.watch(clientEnd)
  client.write(options.established)
  options.pump?.start(origin)
  if (head.length > 0) clientEnd.onData(head)
  // An end may come while the origin is dialled.
  if (client.readableEnded) clientEnd.onEnd()
  else if (client.isPaused()) client.resume()
}

/** One side: what it says goes to the other, and so does its end. */
abstract class End implements Holder, Watched {
  readonly socket: Socket
  seat = -1
  bytes = 0
  quietMs = 0
  protected readonly peer: Socket

  constructor(socket: Socket, peer: Socket) {
    this.socket = socket
    this.peer = peer
  }

  onData(chunk: Buffer): void {
    // Who no longer listens is about to take this side with it.
    if (this.peer.writable && !this.peer.write(chunk)) this.socket.pause()
  }

  onDrain(): void {
    this.peer.resume()
  }

  /** An end is passed on as an end (half-close). */
  onEnd(): void {
    const { peer } = this
    // Both have said all and heard all: closing says so too, without a shutdown before it.
    if (peer.readableEnded && peer.writableLength === 0) peer.destroy()
    else peer.end()
  }

  /** An error or an early close tears down the other side. */
  onClose(isBroken: boolean): void {
    const { peer } = this
    if (isBroken) {
      // A connection that broke is not a connection that ended: the other side must be able to tell.
      if (!peer.destroyed) peer.resetAndDestroy()
      return
    }
    // What the other side has still to deliver is delivered; what it has still to hear will never come.
    if (!peer.writableEnded) peer.end()
    if (!peer.destroyed && !peer.readableEnded) peer.destroySoon()
  }
}

class OriginEnd extends End {
  readonly #options: TunnelOptions
  /** Hears what it says through its stream, as long as it answers true. */
  listen: ((bytes: Buffer) => boolean) | undefined

  constructor(socket: Socket, peer: Socket, options: TunnelOptions) {
    super(socket, peer)
    this.#options = options
  }

  override onData(chunk: Buffer): void {
    if (this.listen?.(chunk) === false) this.listen = undefined
    super.onData(chunk)
  }

  /**
   * What it has said still goes out; what it has still to hear is not waited for (RFC 9110 §9.3.6). The client's side
   * stays open until the client ends it: closing on bytes that are under way would take the answer back with a reset.
   */
  override onEnd(): void {
    const { socket } = this
    super.onEnd()
    if (socket.writableLength === 0) socket.destroy()
    else socket.destroySoon()
  }

  override onClose(isBroken: boolean): void {
    this.#options.pump?.release()
    this.#options.silence.forget(this)
    if (!this.socket.readableEnded) super.onClose(isBroken)
    // All that it said is on its way, whatever became of it since. A client that was asked to wait in the midst of an
    // upload would wait for ever, and its own end would not be seen.
    else this.peer.resume()
  }
}

class ClientEnd extends End {
  readonly #options: TunnelOptions
  readonly #originEnd: OriginEnd
  #gate: Gate | undefined
  /** What was said and is not judged yet: nothing of a refused site's TLS reaches anybody. */
  #held = NOTHING
  #deadline: NodeJS.Timeout | undefined
  #largeReads = 0
  #pump: Pump | undefined

  constructor(socket: Socket, peer: Socket, options: TunnelOptions, originEnd: OriginEnd) {
    super(socket, peer)
    this.#options = options
    this.#gate = options.gate
    this.#originEnd = originEnd
  }

  override onData(chunk: Buffer): void {
    if (this.#gate !== undefined) this.#hear(chunk, this.#gate)
    else {
      super.onData(chunk)
      // Before the first of them nobody knows that it will be an upload, and few clients ever make one.
      if (chunk.length >= BULK_BYTES && ++this.#largeReads === LARGE_READS)
        setImmediate(this.#speedUp)
    }
  }

  /** From now on the bytes of this upload go to the origin from one buffer, as those of a download do. */
  readonly #speedUp = (): void => {
    const { socket, peer } = this
    if (socket.destroyed || socket.readableEnded || socket.isPaused()) {
      this.#largeReads = 0
      return
    }
    const pump = new Pump(peer)
    pump.start(socket)
    if (readInto(socket, pump.onread)) this.#pump = pump
    else pump.release()
  }

  /** What the origin has said may be what the gate waits for. */
  readonly listen = (bytes: Buffer): boolean => {
    if (this.#gate?.hear === undefined) return false
    if (this.#gate.hear(bytes)) return true
    if (this.#held.length > 0) this.#hear(NOTHING, this.#gate)
    return false
  }

  #hear(chunk: Buffer, gate: Gate): void {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    let answer = gate.admit(this.#held)
    while (typeof answer === 'number') {
      clearTimeout(this.#deadline)
      this.#deadline = undefined
      const admitted = this.#held.subarray(0, answer)
      this.#held = this.#held.subarray(answer)
      super.onData(admitted)
      if (this.#held.length === 0) return
      answer = gate.admit(this.#held)
    }
    if (answer === 'pass') this.#pass()
    else if (answer === 'refuse') this.#refuse()
    else if (gate.timeoutMs > 0)
      this.#deadline ??= setTimeout(() => {
        gate.onTimeout()
        this.#refuse()
      }, gate.timeoutMs)
  }

  #pass(): void {
    clearTimeout(this.#deadline)
    const held = this.#held
    this.#gate = undefined
    this.#held = NOTHING
    super.onData(held)
  }

  #refuse(): void {
    // What still comes is not judged again, and goes nowhere.
    clearTimeout(this.#deadline)
    this.socket.pause()
    this.socket.resetAndDestroy()
  }

  override onEnd(): void {
    // A client that ends before it has said what it wants still hears an origin that speaks first.
    if (this.#held.length === 0) super.onEnd()
    else this.socket.destroy()
  }

  override onClose(isBroken: boolean): void {
    const { silence, exchange } = this.#options
    clearTimeout(this.#deadline)
    this.#pump?.release()
    silence.forget(this)
    // What is left for an origin that no longer reads would otherwise hold its socket for ever.
    if (!this.peer.destroyed) silence.watch(this.#originEnd)
    exchange.close()
    super.onClose(isBroken)
  }
}
