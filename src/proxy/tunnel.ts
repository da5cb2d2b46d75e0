/** An allowed CONNECT, or a WebSocket once it stands: bytes both ways, never read, until both sides have ended (RFC 9110 §9.3.6). */
import type { Socket } from 'node:net'

export interface TunnelOptions {
  /** The head that tells the client that the tunnel stands. */
  readonly established: string | Buffer
  /** 0: no bound. */
  readonly idleTimeoutMs: number
}

export const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n'

/** Answers and relays. `head` holds the bytes that came after the head of the CONNECT; they are not lost. */
export function openTunnel(
  client: Socket,
  head: Buffer,
  origin: Socket,
  { established, idleTimeoutMs }: TunnelOptions,
): void {
  client.write(established)
  if (head.length > 0) origin.write(head)
  join(client, origin)
  // What is read on one side is written on the other, so one timer sees the silence of both.
  client.setTimeout(idleTimeoutMs, () => client.destroy())
  // What is left for an origin that no longer reads would otherwise hold its socket for ever.
  client.once('close', () => origin.setTimeout(idleTimeoutMs, () => origin.destroy()))
}

/** Pipes both ways. An end is passed on as an end (half-close); an error or an early close tears down the other side. */
function join(client: Socket, origin: Socket): void {
  client.pipe(origin)
  origin.pipe(client)
  tearDownTogether(client, origin)
  tearDownTogether(origin, client)
}

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
