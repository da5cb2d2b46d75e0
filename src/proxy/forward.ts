/** Plain HTTP to the origin, streaming both ways: which connection it takes, and whether it is tried once more. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AbsoluteForm } from '../policy/host.ts'
import { answerOptions } from './answer.ts'
import { createCarry, type Pending } from './carry.ts'
import type { Dial } from './dial.ts'
import { DialAgent, type DialAgentOptions } from './dial-agent.ts'
import { hasContent, maxForwards, prepareRequest } from './headers.ts'
import { Pins } from './pins.ts'
import { breakOff, failureOf, type OnFailure } from './relay.ts'
import type { Sharer } from './shares.ts'
import { SilenceWatch } from './silence.ts'
import { relayUpgrade, type UpgradeOutcome } from './upgrade.ts'

// Idle connections to origins: closed before most origins do it, so that few requests meet a closing one.
const IDLE_MS = 4_000
// A signed-in one lasts as long as the connection of its client, which has a bound of its own.
const NO_BOUND = 0

export interface ForwardOptions extends Omit<DialAgentOptions, 'kept' | 'idleMs'> {
  readonly dial: Dial
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

export function createForward({ dial, ...options }: ForwardOptions): Forward {
  const { onLimit } = options
  const agent = new DialAgent(dial, { ...options, kept: 'shared', idleMs: IDLE_MS })
  const freshAgent = new DialAgent(dial, { ...options, kept: 'never', idleMs: IDLE_MS })
  const pinnedAgent = new DialAgent(dial, { ...options, kept: 'apart', idleMs: NO_BOUND })
  const pins = new Pins()
  const silence = new SilenceWatch(options.tunnelIdleTimeoutMs, () =>
    onLimit?.('tunnelIdleTimeoutMs'),
  )
  const carry = createCarry()

  const send = (pending: Pending, using: DialAgent): void => {
    carry(pending, using.of(pending.request.socket, pending.client), error => {
      // What an origin says beyond a whole answer is its own trouble: the answer was whole.
      if (pending.answer?.complete === true) return
      if (mayRetry(pending, error)) send(pending, pending.isPinned ? using : freshAgent)
      else {
        if (pending.answer !== undefined) breakOff(pending.answer, pending.response)
        pending.onFailure(failureOf(error, pending.target))
      }
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
      const isPinned = pins.has(request.socket, target, request.headers)
      const using = isPinned ? pinnedAgent : maySendTwice(request) ? agent : freshAgent
      send({ request, response, client, target, path, onFailure, isPinned }, using)
    },
    upgrade(request, socket, head, to, outcome) {
      const using = pins.has(socket, to.target, request.headers) ? pinnedAgent : freshAgent
      const own = using.of(socket, to.client)
      relayUpgrade(request, socket, head, to, { silence, agent: own }, outcome)
    },
    close() {
      agent.destroy()
      freshAgent.destroy()
      pinnedAgent.destroy()
      silence.close()
    },
  }
}

/** `OPTIONS http://host` without a path asks about the origin as a whole: `OPTIONS *` (RFC 9112 §3.2.4). */
function isForWholeOrigin({ method, url = '' }: IncomingMessage): boolean {
  return method === 'OPTIONS' && !/^http:\/\/[^/?]*[/?]/i.test(url)
}

/**
 * An origin may close a kept connection just as it is used again. What must not be done twice, or cannot, because it has a
 * body, goes over a new one. So does what is chunked: a connection that carried it carries no other (CVE-2026-29057,
 * node-http-proxy#1721).
 */
function maySendTwice({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') && !hasContent(headers)
}

/** Whether it met a kept connection that the origin was closing: it is then sent once more. */
function mayRetry({ request, response, outgoing }: Pending, error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException
  const wasClosed = code === 'ECONNRESET' || code === 'EPIPE'
  return (
    maySendTwice(request) &&
    wasClosed &&
    outgoing?.reusedSocket === true &&
    !response.headersSent &&
    !response.destroyed
  )
}
