/** Plain HTTP to the origin, through `http-proxy`, streaming both ways. */
import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { createProxyServer, type ServerOptions } from 'http-proxy'
import { PreauError } from '../errors.ts'
import type { AbsoluteForm, Target } from '../policy/host.ts'
import type { Dial } from './dial.ts'
import { DialAgent } from './dial-agent.ts'
import { prepareRequest } from './headers.ts'
import type { LimitName } from './limit-name.ts'
import { failureOf, limitSilence, relayAnswer, type OnFailure } from './relay.ts'
import { SilenceWatch } from './silence.ts'
import { relayUpgrade, type UpgradeOutcome } from './upgrade.ts'

export interface ForwardOptions {
  readonly dial: Dial
  /** Silence of an origin before and during its answer; 0: no bound. */
  readonly answerTimeoutMs: number
  /** Silence of a WebSocket, both ways; 0: no bound. */
  readonly tunnelIdleTimeoutMs: number
  readonly onLimit?: (limit: LimitName) => void
}

export interface Forward {
  request(
    request: IncomingMessage,
    response: ServerResponse,
    to: AbsoluteForm,
    onFailure: OnFailure,
  ): void
  upgrade(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    to: AbsoluteForm,
    outcome: UpgradeOutcome,
  ): void
  close(): void
}

/** What one forwarded message carries from its start to the events of the library. */
interface Pending {
  readonly to: AbsoluteForm
  readonly onFailure: OnFailure
  outgoing?: ClientRequest
}

export function createForward(options: ForwardOptions): Forward {
  const { dial, answerTimeoutMs } = options
  const agent = new DialAgent(dial, { keepAlive: true })
  const freshAgent = new DialAgent(dial, { keepAlive: false })
  const silence = new SilenceWatch(options.tunnelIdleTimeoutMs, () =>
    options.onLimit?.('tunnelIdleTimeoutMs'),
  )
  const pendings: Pendings = new WeakMap()
  const proxy = openLibrary(pendings, answerTimeoutMs)

  const send = (
    request: IncomingMessage,
    response: ServerResponse,
    pending: Pending,
    using: Agent,
  ): void => {
    proxy.web(request, response, webOptions(pending.to.target, using), error => {
      if (using === agent && mayRetry(request, response, pending, error))
        send(request, response, pending, freshAgent)
      else pending.onFailure(failureOf(error, pending.to.target))
    })
  }

  return {
    request(request, response, to, onFailure) {
      const pending: Pending = { to, onFailure }
      pendings.set(request, pending)
      prepareRequest(request, to.target)
      // A connection that carried a chunked request carries no other (CVE-2026-29057, node-http-proxy#1721). A field
      // `Connection: close` is not enough: Node keeps the connection when the origin does not close it.
      const isChunked = request.headers['transfer-encoding'] !== undefined
      send(request, response, pending, isChunked ? freshAgent : agent)
    },
    upgrade(request, socket, head, to, outcome) {
      relayUpgrade(
        request,
        socket,
        head,
        to,
        { answerTimeoutMs, silence, agent: freshAgent },
        outcome,
      )
    },
    close() {
      agent.destroy()
      freshAgent.destroy()
      silence.close()
    },
  }
}

type Pendings = WeakMap<IncomingMessage, Pending>

function openLibrary(pendings: Pendings, answerTimeoutMs: number) {
  const proxy = createProxyServer({ prependPath: false, selfHandleResponse: true })
  dropDeleteLength(proxy)
  proxy.on('proxyReq', (outgoing, request) => {
    const pending = pendings.get(request)
    if (pending === undefined) return
    pending.outgoing = outgoing
    // Byte for byte what the client asked: the library would parse and write it anew (`a%2Fb//c`).
    outgoing.path = pending.to.path
    limitSilence(outgoing, pending.to.target, answerTimeoutMs)
    // Nobody asked to switch: Node would drop the connection without a word, and the client would wait.
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy()
      pending.onFailure(new PreauError('PREAU_BAD_ANSWER', { host: pending.to.target.host }))
    })
    // What is still uploaded after that is read to its end, or the client would hang.
    outgoing.once('close', () => request.unpipe(outgoing).resume())
  })
  proxy.on('proxyRes', (answer, request, response) => {
    const pending = pendings.get(request)
    if (pending === undefined) return
    const { outgoing, to, onFailure } = pending
    relayAnswer(answer, response, to.target, onFailure)
    // An origin that has said all before it heard all (413, 401) may listen no more, and give no sign of it.
    answer.once('end', () => {
      if (outgoing?.writableFinished === false) outgoing.destroy()
    })
  })
  // Each call has its own callback; this listener only keeps the library from throwing.
  proxy.on('error', () => undefined)
  return proxy
}

const webOptions = ({ host, port }: Target, agent: Agent): ServerOptions => ({
  target: { protocol: 'http:', host, hostname: host, port },
  agent,
})

/**
 * http-proxy turns a chunked DELETE or OPTIONS into `Content-Length: 0` and still sends its body: a request smuggled
 * (CVE-2026-29057, node-http-proxy#1720). The pass goes; Node frames these methods rightly by itself.
 */
function dropDeleteLength(proxy: object): void {
  const passes = (proxy as { webPasses: { name: string }[] }).webPasses
  const index = passes.findIndex(pass => pass.name === 'deleteLength')
  if (index === -1)
    throw new TypeError('http-proxy no longer has the pass deleteLength: look at its changes')
  passes.splice(index, 1)
}

/** A kept socket may be closed by the origin just as we use it: a request without a body is then sent once more. */
function mayRetry(
  request: IncomingMessage,
  response: ServerResponse,
  { outgoing }: Pending,
  error: Error,
): boolean {
  const { headers, method } = request
  const isBodyless =
    headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
  const isSafe = method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
  const wasClosed =
    (error as NodeJS.ErrnoException).code === 'ECONNRESET' ||
    (error as NodeJS.ErrnoException).code === 'EPIPE'
  return (
    isSafe &&
    isBodyless &&
    wasClosed &&
    outgoing?.reusedSocket === true &&
    !response.headersSent &&
    !response.destroyed
  )
}
