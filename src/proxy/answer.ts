/** Short answers of the proxy itself: to a CONNECT or an upgrade on a bare socket, and to a plain request. */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { PreauError } from '../errors.ts'
import { negotiateLocale, type Locale } from '../i18n.ts'

const FAREWELL_MS = 1_000

/** Answers on a socket that no longer belongs to the HTTP server, then closes it; a client that lingers is cut. */
export function answerSocket(socket: Duplex & { setTimeout?: unknown }, error: PreauError): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const body = `${error.text('fr')}\n${error.text('en')}\n`
  socket.end(
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? 'Error'}\r\n` +
      'Content-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n${body}`,
  )
  cutLater(socket)
}

/** Ends a connection without a word, as one that was idle for too long: a client then asks again on a new one. */
export function endSocket(socket: Duplex): void {
  socket.end()
  cutLater(socket)
}

function cutLater(socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), FAREWELL_MS)
  socket.once('close', () => clearTimeout(timer))
}

/** A page for people, as the portal writes it. */
export type RenderFailure = (error: PreauError, locale: Locale) => string

/** Answers a plain request that failed: a page where a person looks, one line elsewhere. */
export function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  error: PreauError,
  render: RenderFailure,
): void {
  if (response.headersSent) {
    // Half an answer is out: only an unclean end tells the client that it is not whole (RFC 9112 §8).
    response.destroy()
    return
  }
  const locale = negotiateLocale(request.headers['accept-language'])
  const isPage = request.headers.accept?.includes('text/html') ?? false
  const body = isPage ? render(error, locale) : `${error.text(locale)}\n`
  response.writeHead(error.status, {
    'Content-Type': `text/${isPage ? 'html' : 'plain'}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    'Content-Language': locale,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(isPage ? { 'Content-Security-Policy': FAILURE_CSP } : {}),
    // After a message that can be read in two ways, no other is read.
    ...(error.status === 400 ? { Connection: 'close' } : {}),
  })
  // Closing before the body has been read would reset the connection, and the answer with it.
  request.unpipe()
  request.resume()
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Answers an OPTIONS that no proxy may pass on any more (RFC 9110 §7.6.2), and echoes nothing of it. */
export function answerOptions(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  response.writeHead(204, { Allow: 'CONNECT, DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT' }).end()
}

const FAILURE_CSP =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
