/** An allowed CONNECT, or a WebSocket once it stands: bytes both ways until both sides have ended (RFC 9110 §9.3.6). */
import type { Socket } from 'node:net'
import type { Pump } from './pump.ts'
import type { SilenceWatch } from './silence.ts'

export interface TunnelOptions {
  /** The head that tells the client that the tunnel stands. */
  readonly established: string | Buffer
  /** Ends it when neither side has anything to say for too long. */
  readonly silence: SilenceWatch
  /** What the origin was connected with; undefined: its bytes come through its stream. */
  readonly pump?: Pump
  /** Sees what the client says first, before the origin does; undefined: nobody looks. */
  readonly gate?: Gate
}

/** Judges the first bytes of a client, all that have come so far. */
export interface Gate {
  readonly admit: (bytes: Buffer) => 'more' | 'pass' | 'refuse'
  /** From the first byte to a judgement; 0: no bound. */
  readonly timeoutMs: number
  /** It did not come to one in time; the tunnel is cut. */
  readonly onTimeout: () => void
}

export const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n'

/** Answers and relays. `head` holds the bytes that came after the head of the CONNECT; they are not lost. */
export function openTunnel(
  client: Socket,
  head: Buffer,
  origin: Socket,
  options: TunnelOptions,
): void {
  const { established, silence, pump, gate } = options
  client.write(established)
  if (pump === undefined) origin.pipe(client)
  else {
    pump.start(origin)
    origin.once('end', () => client.end())
  }
  tearDownTogether(client, origin)
  tearDownTogether(origin, client)
  // What is read on one side is written on the other, so one watch hears the silence of both.
  silence.watch(client, () => client.destroy())
  client.once('close', () => {
    silence.forget(client)
    // What is left for an origin that no longer reads would otherwise hold its socket for ever.
    if (!origin.destroyed) waitFor(origin, silence)
  })
  if (gate === undefined) sendOn(client, head, origin)
  else new Listening(client, origin, gate).hear(head)
}

function waitFor(origin: Socket, silence: SilenceWatch): void {
  silence.watch(origin, () => origin.destroy())
  origin.once('close', () => silence.forget(origin))
}

function sendOn(client: Socket, first: Buffer, origin: Socket): void {
  if (first.length > 0) origin.write(first)
  client.pipe(origin)
}

/** What a client says first, held back until the gate has judged it: nothing of a refused site's TLS reaches anybody. */
class Listening {
  readonly #client: Socket
  readonly #origin: Socket
  readonly #gate: Gate
  #held: Buffer = Buffer.alloc(0)
  #deadline: NodeJS.Timeout | undefined

  constructor(client: Socket, origin: Socket, gate: Gate) {
    this.#client = client
    this.#origin = origin
    this.#gate = gate
    client.on('data', this.#onData)
    client.once('end', this.#onEnd)
    client.once('close', this.#onClose)
    client.resume()
  }

  /** Bytes that have come already. */
  hear(head: Buffer): void {
    if (head.length > 0) this.#onData(head)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const answer = this.#gate.admit(this.#held)
    if (answer === 'pass') this.#pass()
    else if (answer === 'refuse') this.#client.resetAndDestroy()
    else if (this.#gate.timeoutMs > 0)
      this.#deadline ??= setTimeout(this.#onTimeout, this.#gate.timeoutMs)
  }

  readonly #onTimeout = (): void => {
    this.#gate.onTimeout()
    this.#client.resetAndDestroy()
  }

  #pass(): void {
    clearTimeout(this.#deadline)
    this.#client.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    sendOn(this.#client, this.#held, this.#origin)
  }

  // A client that ends before it has said what it wants still hears an origin that speaks first.
  readonly #onEnd = (): void => {
    if (this.#held.length === 0) this.#origin.end()
    else this.#client.destroy()
  }

  readonly #onClose = (): void => clearTimeout(this.#deadline)
}

/** An end is passed on as an end (half-close); an error or an early close tears down the other side. */
function tearDownTogether(closing: Socket, other: Socket): void {
  closing.on('error', () => resetOrDestroy(other))
  closing.on('close', () => {
    // What the other side has still to deliver is delivered; what it has still to hear will never come.
    if (!other.writableEnded) other.end()
    if (!other.destroyed && !other.readableEnded) other.destroySoon()
  })
}

/** A connection that broke is not a connection that ended: the other side must be able to tell. */
function resetOrDestroy(socket: Socket): void {
  if (socket.destroyed) return
  if (socket.connecting) socket.destroy()
  else socket.resetAndDestroy()
}
