/** The fields of a message that a proxy must drop or add (RFC 9110 §7.6). */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { PreauError } from '../errors.ts'
import { hostField, type Target } from '../policy/host.ts'

const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
]
// A `Connection` field may not name these away: the framing and the target would change between us and the origin.
const NEVER_DROPPED = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'via'])
const PSEUDONYM = 'preau'

/** The names listed in a `Connection` field. */
function namedByConnection(connection: string | undefined): string[] {
  if (connection === undefined) return []
  const names = connection.split(',').map(name => name.trim().toLowerCase())
  return names.filter(name => name !== '' && !NEVER_DROPPED.has(name))
}

function dropHopByHop(headers: IncomingHttpHeaders): void {
  for (const name of namedByConnection(headers.connection)) delete headers[name]
  for (const name of HOP_BY_HOP) delete headers[name]
}

function addVia(headers: IncomingHttpHeaders, httpVersion: string): void {
  const hop = `${httpVersion} ${PSEUDONYM}`
  headers.via = headers.via === undefined ? hop : `${headers.via}, ${hop}`
}

/** Makes the head of a request ready for the origin: the target decides `Host`, never the field that came. */
export function prepareRequest(request: IncomingMessage, target: Target): void {
  const { headers } = request
  dropHopByHop(headers)
  // Node has already answered 100 Continue for us.
  delete headers.expect
  headers.host = hostField(target)
  addVia(headers, request.httpVersion)
}

/** Makes the head of a WebSocket handshake ready: it is the one upgrade that is relayed (RFC 9110 §7.8). */
export function prepareUpgrade(request: IncomingMessage, target: Target): void {
  prepareRequest(request, target)
  request.headers.connection = 'Upgrade'
  request.headers.upgrade = 'websocket'
}

/** The head of an answer as the client gets it. Several `Set-Cookie` stay apart and in order. */
export function answerHeaders(answer: IncomingMessage): IncomingHttpHeaders {
  const headers = { ...answer.headers }
  dropHopByHop(headers)
  // Node frames the body anew, for a client of HTTP/1.0 too.
  delete headers['transfer-encoding']
  addVia(headers, answer.httpVersion)
  return headers
}

/**
 * Refuses what no origin should be asked through us: TRACE echoes credentials, two `Host` are two readings (RFC 9112 §3.2).
 * Node's parser also takes HTTP/0.9 and 2.0 in a request line, and reads fields after both.
 */
export function assertProxyable(request: IncomingMessage): void {
  const isOdd = request.method === 'TRACE' || request.httpVersionMajor !== 1
  // `,chunked` or `gzip, chunked` would go on as it stands, and origins differ on it (tinyproxy#604, #616).
  const { 'transfer-encoding': coding = 'chunked', 'content-length': length = '0' } =
    request.headers
  // A length that some origins read as a negative one (CVE-2021-40346 in haproxy).
  const isFramedOddly =
    coding.toLowerCase() !== 'chunked' || Number(length) > Number.MAX_SAFE_INTEGER
  if (isOdd || isFramedOddly || countHosts(request.rawHeaders) > 1)
    throw new PreauError('PREAU_BAD_REQUEST')
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}
