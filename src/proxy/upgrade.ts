/** A WebSocket handshake over plain HTTP. Once the origin has switched, bytes both ways as in any other tunnel. */
import { request as httpRequest, ServerResponse, type Agent, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { AbsoluteForm } from '../policy/host.ts'
import { prepareUpgrade } from './headers.ts'
import { failureOf, relayAnswer, type OnFailure } from './relay.ts'
import type { SilenceWatch } from './silence.ts'
import { openTunnel } from './tunnel.ts'

const HALF_CLOSED_MS = 1_000

export interface UpgradeOptions {
  readonly agent: Agent
  readonly silence: SilenceWatch
}

/** What becomes of a handshake: one of the two is called, unless the client leaves before. */
export interface UpgradeOutcome {
  readonly onAnswer: (status: number) => void
  readonly onFailure: OnFailure
}

/** Sends the handshake on; relays the plain answer of an origin that does not switch, and then closes. */
export function relayUpgrade(
  request: IncomingMessage,
  socket: Socket,
  head: Buffer,
  { target, path }: AbsoluteForm,
  { agent, silence }: UpgradeOptions,
  { onAnswer, onFailure }: UpgradeOutcome,
): void {
  prepareUpgrade(request, target)
  const { host, port } = target
  const outgoing = httpRequest({ agent, host, port, path, headers: request.headers })
  // A client that leaves before the origin has answered must take this connection with it.
  socket.once('close', () => outgoing.destroy())
  const stopWaiting = closeSoonAfterEnd(socket)
  let hasBegun = false
  outgoing.on('error', error => {
    // Behind half an answer another one would be read as its body: `relayAnswer` breaks it off.
    if (!hasBegun) onFailure(failureOf(error, target))
  })
  outgoing.once('response', answer => {
    stopWaiting()
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    // The HTTP server has let go of this socket, so nobody else tells the answer to go on.
    socket.on('drain', () => response.emit('drain'))
    response.once('finish', () => socket.destroySoon())
    hasBegun = relayAnswer(answer, response, target, onFailure)
    if (hasBegun) onAnswer(response.statusCode)
  })
  outgoing.once('upgrade', (answer, origin: Socket, early) => {
    stopWaiting()
    onAnswer(101)
    origin.setTimeout(0)
    if (early.length > 0) origin.unshift(early)
    openTunnel(socket, head, origin, {
      established: switched(answer),
      silence,
      exchange: { close: () => undefined },
    })
  })
  outgoing.end()
}

/**
 * A client that leaves while its handshake is pending looks like one that has ended its sending and still listens: it is
 * let go after a moment. Its end shows only where its stream is read; what it sends too early stays in there.
 */
function closeSoonAfterEnd(socket: Socket): () => void {
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    if (socket.readableLength === 0) socket.read()
  }
  const onEnd = (): void => {
    timer = setTimeout(() => socket.destroy(), HALF_CLOSED_MS)
  }
  socket.on('readable', look).once('end', onEnd)
  const stop = (): void => {
    clearTimeout(timer)
    socket.off('readable', look).off('end', onEnd).off('close', stop)
  }
  socket.once('close', stop)
  return stop
}

/** The head of the 101 as it came: its `Connection` and `Upgrade` are for the client too. */
function switched({ rawHeaders }: IncomingMessage): Buffer {
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let i = 0; i < rawHeaders.length; i += 2)
    head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return Buffer.from(`${head}\r\n`, 'latin1')
}
