/** A WebSocket handshake over plain HTTP. Once the origin has switched, bytes both ways as in any other tunnel. */
import { request as httpRequest, ServerResponse, type Agent, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { AbsoluteForm } from '../policy/host.ts'
import { prepareUpgrade } from './headers.ts'
import { failureOf, relayAnswer, type OnFailure } from './relay.ts'
import type { SilenceWatch } from './silence.ts'
import { openTunnel } from './tunnel.ts'

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
  let hasBegun = false
  outgoing.on('error', error => {
    // Behind half an answer another one would be read as its body: `relayAnswer` breaks it off.
    if (!hasBegun) onFailure(failureOf(error, target))
  })
  outgoing.once('response', answer => {
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

/** The head of the 101 as it came: its `Connection` and `Upgrade` are for the client too. */
function switched({ rawHeaders }: IncomingMessage): Buffer {
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let i = 0; i < rawHeaders.length; i += 2)
    head += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`
  return Buffer.from(`${head}\r\n`, 'latin1')
}
