/** Plain HTTP to the origin, streaming both ways: through `http-proxy`, or by ourselves what it would alter. */
import {
  request as httpRequest,
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import { createProxyServer, type ServerOptions } from 'http-proxy'
import { PreauError } from '../errors.ts'
import type { AbsoluteForm, Target } from '../policy/host.ts'
import { answerOptions } from './answer.ts'
import type { Dial } from './dial.ts'
import { DialAgent } from './dial-agent.ts'
import { hasContent, maxForwards, prepareRequest } from './headers.ts'
import { failureOf, limitSilence, relayAnswer, relayInformation, type OnFailure } from './relay.ts'
import { SilenceWatch } from './silence.ts'
import { relayUpgrade, type UpgradeOutcome } from './upgrade.ts'

export interface ForwardOptions {
  readonly dial: Dial
  /** Silence of an origin before and during its answer; 0: no bound. */
  readonly answerTimeoutMs: number
  /** Silence of a WebSocket, both ways; 0: no bound. */
  readonly tunnelIdleTimeoutMs: number
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

/** What one forwarded message carries from its start to its end. */
interface Pending {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly target: Target
  readonly path: string
  readonly answerTimeoutMs: number
  readonly onFailure: OnFailure
  outgoing?: ClientRequest
  answer?: IncomingMessage
}

export function createForward(options: ForwardOptions): Forward {
  const { dial, answerTimeoutMs } = options
  const agent = new DialAgent(dial, { keepAlive: true })
  const freshAgent = new DialAgent(dial, { keepAlive: false })
  const silence = new SilenceWatch(options.tunnelIdleTimeoutMs)
  const sendByLibrary = openLibrary()

  const send = (pending: Pending, using: Agent): void => {
    const carry = isForLibrary(pending) ? sendByLibrary : sendByOurselves
    carry(pending, using, error => {
      // What an origin says beyond a whole answer is its own trouble: the answer was whole.
      if (pending.answer?.complete === true) return
      if (using === agent && mayRetry(pending, error)) send(pending, freshAgent)
      else pending.onFailure(failureOf(error, pending.target))
    })
  }

  return {
    request(request, response, { target, path: asked }, onFailure) {
      if (maxForwards(request) === 0) {
        answerOptions(request, response)
        return
      }
      const path = isForWholeOrigin(request) ? '*' : asked
      prepareRequest(request, target)
      // A connection that carried a chunked request carries no other (CVE-2026-29057, node-http-proxy#1721). A field
      // `Connection: close` is not enough: Node keeps the connection when the origin does not close it.
      const isChunked = request.headers['transfer-encoding'] !== undefined
      send(
        { request, response, target, path, answerTimeoutMs, onFailure },
        isChunked ? freshAgent : agent,
      )
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

/** `OPTIONS http://host` without a path asks about the origin as a whole: `OPTIONS *` (RFC 9112 §3.2.4). */
function isForWholeOrigin({ method, url = '' }: IncomingMessage): boolean {
  return method === 'OPTIONS' && !/^http:\/\/[^/?]*[/?]/i.test(url)
}

type Carry = (pending: Pending, agent: Agent, onError: (error: Error) => void) => void

/**
 * The library writes a path anew: it puts a slash before `*` and drops the mark of an empty query. Of a request with
 * `Expect` it does not tell, since Node sends the head of such a one before anybody can look at it.
 */
function isForLibrary({ request, path }: Pending): boolean {
  return request.headers.expect === undefined && path.startsWith('/') && !path.endsWith('?')
}

function openLibrary(): Carry {
  const pendings = new WeakMap<IncomingMessage, Pending>()
  const proxy = createProxyServer({ prependPath: false, toProxy: true, selfHandleResponse: true })
  dropDeleteLength(proxy)
  proxy.on('proxyReq', (outgoing, request) => {
    const pending = pendings.get(request)
    if (pending !== undefined) follow(pending, outgoing)
  })
  proxy.on('proxyRes', (answer, request) => {
    const pending = pendings.get(request)
    if (pending !== undefined) onAnswer(pending, answer)
  })
  // Each call has its own callback; this listener only keeps the library from throwing.
  proxy.on('error', () => undefined)
  return (pending, agent, onError) => {
    const { request, response, target, path } = pending
    pendings.set(request, pending)
    request.url = path
    proxy.web(request, response, webOptions(target, agent), onError)
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

const sendByOurselves: Carry = (pending, agent, onError) => {
  const { request, response, target, path } = pending
  const { method, headers } = request
  const { host, port } = target
  const outgoing = httpRequest({ agent, host, port, method, path, headers })
  follow(pending, outgoing)
  outgoing.on('response', answer => onAnswer(pending, answer))
  outgoing.on('error', onError)
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy()
  })
  request.pipe(outgoing)
}

/** Before anything of the origin has come. */
function follow(pending: Pending, outgoing: ClientRequest): void {
  const { request, response, target, answerTimeoutMs, onFailure } = pending
  pending.outgoing = outgoing
  // Node would hold a head back until its body begins, and an origin that refuses it could not say so.
  if (hasContent(request.headers)) outgoing.flushHeaders()
  limitSilence(outgoing, target, answerTimeoutMs)
  relayInformation(outgoing, request, response, target)
  // Nobody asked to switch: Node would drop the connection without a word, and the client would wait.
  outgoing.once('upgrade', (_answer, socket) => {
    socket.destroy()
    onFailure(new PreauError('PREAU_BAD_ANSWER', { host: target.host }))
  })
  // What is still uploaded after that is read to its end, or the client would hang.
  outgoing.once('close', () => request.unpipe(outgoing).resume())
}

function onAnswer(pending: Pending, answer: IncomingMessage): void {
  const { response, target, onFailure, outgoing } = pending
  pending.answer = answer
  relayAnswer(answer, response, target, onFailure)
  // An origin that has said all before it heard all (413, 401) may listen no more, and give no sign of it.
  answer.once('end', () => {
    if (outgoing?.writableFinished === false) outgoing.destroy()
  })
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
