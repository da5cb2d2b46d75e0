/** Sends one plain request to its origin: through `http-proxy`, or by ourselves what the library would alter. */
import {
  request as httpRequest,
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { Stream } from 'node:stream'
import { createProxyServer, type ServerOptions } from 'http-proxy'
import { PreauError } from '../errors.ts'
import { hostField, type Target } from '../policy/host.ts'
import { hasContent } from './headers.ts'
import { asksToSignIn } from './pins.ts'
import type { Sharer } from './shares.ts'
import { relayAnswer, relayInformation, type OnFailure } from './relay.ts'
import { CREDENTIALS_REFUSED } from './parents.ts'
import type { Parent, Way } from './ways.ts'

/** What one forwarded message carries from its start to its end. */
export interface Pending {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly client: Sharer
  readonly target: Target
  readonly path: string
  readonly onFailure: OnFailure
  /** It goes over a connection that is its client's alone (`pins.ts`). */
  readonly isPinned: boolean
  /** The ways that were taken so far, the last of them now. */
  readonly tried: Way[]
  /** The parent proxy that it is sent to now, in absolute form (RFC 9112 §3.2.2). */
  parent?: Parent | undefined
  outgoing?: ClientRequest
  /** Once it is on its way to the client. */
  answer?: IncomingMessage
}

/** `onError`: the origin could not be reached, broke off, or said what cannot be read. */
export type Carry = (pending: Pending, agent: Agent, onError: (error: Error) => void) => void

export function createCarry(): Carry {
  const sendByLibrary = openLibrary()
  return (pending, agent, onError) =>
    (isForLibrary(pending) ? sendByLibrary : sendByOurselves)(pending, agent, onError)
}

/**
 * The library writes a path anew: it puts a slash before `*` and drops the mark of an empty query. Of a request with
 * `Expect` it does not tell, since Node sends the head of such a one before anybody can look at it.
 */
function isForLibrary({ request, path, parent }: Pending): boolean {
  if (parent !== undefined) return false
  return request.headers.expect === undefined && path.startsWith('/') && !path.endsWith('?')
}

function openLibrary(): Carry {
  const proxy = createProxyServer({ prependPath: false, toProxy: true, selfHandleResponse: true })
  dropDeleteLength(proxy)
  proxy.on('proxyReq', (outgoing, _request, _response, { pending }: CallOptions) => {
    if (pending !== undefined) follow(pending, outgoing)
  })
  // Each call has its own callback; this listener only keeps the library from throwing.
  proxy.on('error', () => undefined)
  return (pending, agent, onError) => {
    const { request, response, target, path } = pending
    const { host, port } = target
    request.url = path
    const options: CallOptions = {
      target: { protocol: 'http:', host, hostname: host, port },
      agent,
      pending,
    }
    if (!hasContent(request.headers)) options.buffer = NO_CONTENT
    proxy.web(request, response, options, onError)
  }
}

/** The library hands the options of a call to its listeners: what is ours travels in them. */
type CallOptions = ServerOptions & { readonly pending?: Pending }

// What the library sends in the place of a request's own stream: its end, at once, without the cost of a pipe.
const NO_CONTENT = { pipe: (outgoing: ClientRequest) => outgoing.end() } as unknown as Stream

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
  const { request, response, target, path, parent } = pending
  const { method, headers } = request
  const { host, port } = target
  const outgoing =
    parent === undefined
      ? httpRequest({ agent, host, port, method, path, headers })
      : askParent(pending, parent, agent)
  follow(pending, outgoing, onError)
  outgoing.on('error', onError)
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy()
  })
  if (!hasContent(headers)) outgoing.end()
  else if (parent === undefined) request.pipe(outgoing)
  // While the connection does not stand another way may be taken: nothing of the body is read before.
  else outgoing.once('socket', () => request.pipe(outgoing))
}

/** The credentials are the city's own; those of the client for a proxy were for us (RFC 9110 §11.7.2). */
function askParent(
  { request: { method, headers }, target, path, isPinned }: Pending,
  { host, port, authorization }: Parent,
  agent: Agent,
): ClientRequest {
  const origin = hostField(target)
  const options = {
    agent,
    host,
    port,
    method,
    // `OPTIONS *` has no path in this form (RFC 9112 §3.2.4).
    path: `http://${origin}${path === '*' ? '' : path}`,
    headers:
      authorization === null ? headers : { ...headers, 'proxy-authorization': authorization },
    // A sign-in over it is one at that origin.
    ...(isPinned ? { origin } : {}),
  }
  return httpRequest(options)
}

/** Before anything of the origin has come. */
function follow(pending: Pending, outgoing: ClientRequest, onError?: (error: Error) => void): void {
  const { request, response, target, onFailure } = pending
  pending.outgoing = outgoing
  // Also where it is kept for the next request of the same client: what is chunked is the last one (`forward.ts`). A field
  // `Connection: close` is not enough, since Node keeps what the origin does not close.
  if (request.headers['transfer-encoding'] !== undefined) outgoing.shouldKeepAlive = false
  if (hasContent(request.headers)) {
    // Node would hold a head back until its body begins, and an origin that refuses it could not say so.
    outgoing.flushHeaders()
    // What is still uploaded after that is read to its end, or the client would hang.
    outgoing.once('close', () => {
      request.unpipe(outgoing)
      if (pending.outgoing === outgoing) request.resume()
    })
  }
  outgoing.once('response', answer => {
    if (pending.parent === undefined || answer.statusCode !== CREDENTIALS_REFUSED)
      onAnswer(pending, answer)
    else {
      // What it asks is asked of us, and nothing a client could answer.
      if (onError !== undefined) outgoing.off('error', onError).on('error', ignore)
      answer.on('error', ignore).destroy()
      onError?.(new PreauError('PREAU_PARENT_CREDENTIALS'))
    }
  })
  relayInformation(outgoing, request, response, target)
  // Nobody asked to switch: Node would drop the connection without a word, and the client would wait.
  outgoing.once('upgrade', (_answer, socket) => {
    socket.destroy()
    onFailure(new PreauError('PREAU_BAD_ANSWER', { host: target.host }))
  })
}

const ignore = (): void => undefined

function onAnswer(pending: Pending, answer: IncomingMessage): void {
  const { response, target, onFailure, outgoing } = pending
  // Where a sign-in begins, nobody else goes on: the first step of it opens a connection of its own.
  if (!pending.isPinned && outgoing !== undefined && asksToSignIn(answer.headers))
    outgoing.shouldKeepAlive = false
  if (relayAnswer(answer, response, target, onFailure)) pending.answer = answer
  if (outgoing === undefined || outgoing.writableFinished) return
  // An origin that has said all before it heard all (413, 401) may listen no more, and give no sign of it.
  answer.once('end', () => {
    if (!outgoing.writableFinished) outgoing.destroy()
  })
}
