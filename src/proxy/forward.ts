/** Plain HTTP to the origin, streaming both ways: which connection it takes, and whether it is tried once more. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AbsoluteForm } from '../policy/host.ts'
import { answerOptions } from './answer.ts'
import { createCarry, type Pending } from './carry.ts'
import type { Dial } from './dial.ts'
import { DialAgent, type DialAgentOptions } from './dial-agent.ts'
import { hasCode } from '../errors.ts'
import { guard } from './guard.ts'
import { hasContent, maxForwards, prepareRequest } from './headers.ts'
import type { Parents } from './parents.ts'
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
  /** The way without a parent proxy. */
  readonly dial: Dial
  /** Absent: there is none. */
  readonly parents?: Parents | undefined
  /** What a WebSocket goes over, as browsers would send it: a tunnel where a parent leads to it. `dial` when absent. */
  readonly dialTunnel?: Dial | undefined
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

/** The same three ways to keep connections, over one dial. */
function openAgents(dial: Dial, options: Omit<DialAgentOptions, 'kept' | 'idleMs'>) {
  return {
    shared: new DialAgent(dial, { ...options, kept: 'shared', idleMs: IDLE_MS }),
    never: new DialAgent(dial, { ...options, kept: 'never', idleMs: IDLE_MS }),
    apart: new DialAgent(dial, { ...options, kept: 'apart', idleMs: NO_BOUND }),
  }
}

export function createForward(given: ForwardOptions): Forward {
  const { dial, parents, dialTunnel, ...options } = given
  const { onLimit } = options
  const toOrigins = openAgents(dial, options)
  // A connection to a parent is none to an origin of the same address: they are never mixed.
  const toParents = parents && openAgents(parents.dial, options)
  const tunnelAgent =
    dialTunnel && new DialAgent(dialTunnel, { ...options, kept: 'never', idleMs: IDLE_MS })
  const pins = new Pins()
  const silence = new SilenceWatch(options.tunnelIdleTimeoutMs, () =>
    onLimit?.('tunnelIdleTimeoutMs'),
  )
  const carry = createCarry()

  const start = (pending: Pending, kept: DialAgentOptions['kept']): void =>
    guard(pending.onFailure, () => {
      const way = parents?.choose(pending.target, pending.tried) ?? 'direct'
      pending.tried.push(way)
      pending.parent = way === 'direct' ? undefined : way
      send(pending, kept)
    })

  const send = (pending: Pending, kept: DialAgentOptions['kept']): void => {
    const { parent } = pending
    const agents = (parent && toParents) ?? toOrigins
    const agent = agents[kept].of(pending.request.socket, pending.client)
    carry(pending, agent, error => {
      // What an origin says beyond a whole answer is its own trouble: the answer was whole.
      if (pending.answer?.complete === true) return
      if (parent !== undefined && pending.answer === undefined) parents?.blame(parent, error)
      if (mayRetry(pending, error)) send(pending, pending.isPinned ? kept : 'never')
      else if (mayTakeNext(pending, error)) start(pending, kept)
      else {
        if (pending.answer !== undefined) breakOff(pending.answer, pending.response)
        pending.onFailure(failureOf(error, pending.target))
      }
    })
    if (parent === undefined) return
    pending.outgoing?.once('response', ({ statusCode }) => parents?.hears(parent, statusCode))
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
      const kept = isPinned ? 'apart' : maySendTwice(request) ? 'shared' : 'never'
      start({ request, response, client, target, path, onFailure, isPinned, tried: [] }, kept)
    },
    upgrade(request, socket, head, to, outcome) {
      const isPinned = pins.has(socket, to.target, request.headers)
      const own = (tunnelAgent ?? toOrigins[isPinned ? 'apart' : 'never']).of(socket, to.client)
      relayUpgrade(request, socket, head, to, { silence, agent: own }, outcome)
    },
    close() {
      const all = [...Object.values(toOrigins), ...Object.values(toParents ?? {}), tunnelAgent]
      for (const agent of all) agent?.destroy()
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

/** Whether nothing of it has reached anybody, so that another way may be taken. */
function mayTakeNext({ request, response }: Pending, error: Error): boolean {
  if (response.headersSent || response.destroyed) return false
  return (
    hasCode(error, 'PREAU_PARENT_DOWN') ||
    (hasCode(error, 'PREAU_PARENT_CREDENTIALS') && !hasContent(request.headers))
  )
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
