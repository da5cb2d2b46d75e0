/** Plain HTTP to the origin, streaming both ways: which connection it takes, and whether it is tried once more. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AbsoluteForm } from '../policy/host.ts'
import { answerOptions } from './answer.ts'
import { createCarry, type Pending } from './carry.ts'
import type { Dial } from './dial.ts'
import { DialAgent } from './dial-agent.ts'
import { hasContent, maxForwards, prepareRequest } from './headers.ts'
import type { LimitName } from './limit-name.ts'
import { failureOf, type OnFailure } from './relay.ts'
import type { Sharer } from './shares.ts'
import { SilenceWatch } from './silence.ts'
import { relayUpgrade, type UpgradeOutcome } from './upgrade.ts'

export interface ForwardOptions {
  readonly dial: Dial
  /** Silence of an origin before and during its answer; 0: no bound. */
  readonly answerTimeoutMs: number
  /** Silence of a WebSocket, both ways, and how long a client may take nothing of its answer; 0: no bound. */
  readonly tunnelIdleTimeoutMs: number
  readonly onLimit?: (limit: LimitName) => void
}

/** Where a request goes, and for whom. */
export interface ForwardTo extends AbsoluteForm {
  readonly client: Sharer
}

export interface Forward {
  request(
    request: IncomingMessage,
    response: ServerResponse,
    to: ForwardTo,
    onFailure: OnFailure,
  ): void
  upgrade(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    to: ForwardTo,
    outcome: UpgradeOutcome,
  ): void
  close(): void
}

export function createForward(options: ForwardOptions): Forward {
  const { dial, onLimit } = options
  const patience = {
    silenceMs: options.answerTimeoutMs,
    heldBackMs: options.tunnelIdleTimeoutMs,
    onSilence: (of: 'origin' | 'client'): void =>
      onLimit?.(of === 'origin' ? 'answerTimeoutMs' : 'tunnelIdleTimeoutMs'),
  }
  const agent = new DialAgent(dial, { keepAlive: true, ...patience })
  const freshAgent = new DialAgent(dial, { keepAlive: false, ...patience })
  const silence = new SilenceWatch(options.tunnelIdleTimeoutMs, () =>
    onLimit?.('tunnelIdleTimeoutMs'),
  )
  const carry = createCarry()

  const send = (pending: Pending, using: DialAgent): void => {
    carry(pending, using.of(pending.request.socket, pending.client), error => {
      // What an origin says beyond a whole answer is its own trouble: the answer was whole.
      if (pending.answer?.complete === true) return
      if (using === agent && mayRetry(pending, error)) send(pending, freshAgent)
      else pending.onFailure(failureOf(error, pending.target))
    })
  }

  return {
    request(request, response, { target, path: asked, client }, onFailure) {
      if (maxForwards(request) === 0) {
        answerOptions(request, response)
        return
      }
      const path = isForWholeOrigin(request) ? '*' : asked
      prepareRequest(request, target)
      // A connection that carried a chunked request carries no other (CVE-2026-29057, node-http-proxy#1721). A field
      // `Connection: close` is not enough: Node keeps the connection when the origin does not close it.
      const isChunked = request.headers['transfer-encoding'] !== undefined
      send({ request, response, client, target, path, onFailure }, isChunked ? freshAgent : agent)
    },
    upgrade(request, socket, head, to, outcome) {
      const own = freshAgent.of(socket, to.client)
      relayUpgrade(request, socket, head, to, { silence, agent: own }, outcome)
    },
    close() {
      agent.destroy()
      freshAgent.destroy()
      silence.close()
    },
  }
}

/** `OPTIONS http://host` without a path asks about the origin as a whole: `OPTIONS *` (RFC 9112 §3.2.4). */
function isForWholeOrigin({ method, url = '' }: IncomingMessage): boolean {
  return method === 'OPTIONS' && !/^http:\/\/[^/?]*[/?]/i.test(url)
}

/** A kept socket may be closed by the origin just as we use it: a request without a body is then sent once more. */
function mayRetry({ request, response, outgoing }: Pending, error: Error): boolean {
  const { headers, method } = request
  const isSafe = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  const { code } = error as NodeJS.ErrnoException
  const wasClosed = code === 'ECONNRESET' || code === 'EPIPE'
  return (
    isSafe &&
    !hasContent(headers) &&
    wasClosed &&
    outgoing?.reusedSocket === true &&
    !response.headersSent &&
    !response.destroyed
  )
}
