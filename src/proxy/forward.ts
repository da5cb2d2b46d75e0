/** Plain HTTP to the origin, through `http-proxy`, streaming both ways; and its one upgrade, WebSocket. */
import type { Agent, ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline, type Duplex } from 'node:stream'
import { createProxyServer, type ServerOptions } from 'http-proxy'
import { PreauError } from '../errors.ts'
import type { AbsoluteForm, Target } from '../policy/host.ts'
import type { Dial } from './dial.ts'
import { DialAgent } from './dial-agent.ts'
import { answerHeaders, prepareRequest, prepareUpgrade } from './headers.ts'

export interface ForwardOptions {
  readonly dial: Dial
  /** Silence of an origin before and during its answer; 0: no bound. */
  readonly answerTimeoutMs: number
}

export type OnFailure = (error: PreauError) => void

export interface Forward {
  request(
    request: IncomingMessage,
    response: ServerResponse,
    to: AbsoluteForm,
    onFailure: OnFailure,
  ): void
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    to: AbsoluteForm,
    onFailure: OnFailure,
  ): void
  close(): void
}

/** What one forwarded message carries from its start to the events of the library. */
interface Pending {
  readonly to: AbsoluteForm
  readonly onFailure: OnFailure
  outgoing?: ClientRequest
}

export function createForward({ dial, answerTimeoutMs }: ForwardOptions): Forward {
  const agent = new DialAgent(dial, { keepAlive: true })
  const freshAgent = new DialAgent(dial, { keepAlive: false })
  const pendings = new WeakMap<IncomingMessage, Pending>()
  const proxy = createProxyServer({ prependPath: false, selfHandleResponse: true })
  dropDeleteLength(proxy)

  proxy.on('proxyReq', (outgoing, request) => {
    const pending = pendings.get(request)
    if (pending === undefined) return
    pending.outgoing = outgoing
    // Byte for byte what the client asked: the library would parse and write it anew (`a%2Fb//c`).
    outgoing.path = pending.to.path
    limitSilence(outgoing, pending.to.target, answerTimeoutMs)
  })
  proxy.on('proxyReqWs', (outgoing, request) => {
    const pending = pendings.get(request)
    if (pending === undefined) return
    outgoing.path = pending.to.path
    limitSilence(outgoing, pending.to.target, answerTimeoutMs)
    outgoing.once('upgrade', (_answer, socket: Socket) => socket.setTimeout(0))
  })
  proxy.on('proxyRes', (answer, _request, response) => relayAnswer(answer, response))
  // Each call has its own callback; this listener only keeps the library from throwing.
  proxy.on('error', () => undefined)

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
    upgrade(request, socket, head, to, onFailure) {
      pendings.set(request, { to, onFailure })
      prepareUpgrade(request, to.target)
      proxy.ws(request, socket, head, webOptions(to.target, freshAgent), error =>
        onFailure(failureOf(error, to.target)),
      )
    },
    close() {
      agent.destroy()
      freshAgent.destroy()
    },
  }
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

function limitSilence(outgoing: ClientRequest, target: Target, timeoutMs: number): void {
  if (timeoutMs === 0) return
  outgoing.setTimeout(timeoutMs, () =>
    outgoing.destroy(new PreauError('PREAU_DIAL_TIMEOUT', { host: target.host })),
  )
}

/** Streams an answer to the client; one that breaks off breaks off for the client too, never ends cleanly. */
function relayAnswer(answer: IncomingMessage, response: ServerResponse): void {
  if (response.headersSent || response.destroyed) {
    answer.destroy()
    return
  }
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerHeaders(answer))
  pipeline(answer, response, error => {
    if (error) response.destroy()
  })
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

function failureOf(error: Error, { host }: Target): PreauError {
  if (error instanceof PreauError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return new PreauError(
    code.startsWith('HPE_') ? 'PREAU_BAD_ANSWER' : 'PREAU_UNREACHABLE',
    { host },
    { cause: error },
  )
}
