/** The fields of a message that a proxy must drop, rewrite or add (RFC 9110 §7.6), and the heads that it must not pass on. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { PreauError } from '../errors.ts'
import { hostField, type Target } from '../policy/host.ts'

// `trailer`: trailers are dropped both ways (RFC 9110 §6.5.1 allows it), so none is announced.
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'upgrade',
])
// Node frames the body of an answer anew, for a client of HTTP/1.0 too.
const DROPPED_OF_ANSWER = new Set([...HOP_BY_HOP, 'transfer-encoding'])
// A `Connection` field may not name these away: the framing and the target would change between us and the origin.
const NEVER_DROPPED = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'via'])
const PSEUDONYM = 'preau'
// More than any chain of proxies has (RFC 9110 §7.6.2 lets a recipient lower what it gets).
const MAX_FORWARDS = 255

/** The names listed in a `Connection` field; undefined where it names no field. */
function namedByConnection(connection: string | undefined): string[] | undefined {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close')
    return undefined
  const names = connection.split(',').map(name => name.trim().toLowerCase())
  return names.filter(name => name !== '' && !NEVER_DROPPED.has(name))
}

/** Makes the head of a request ready for the origin: the target decides `Host`, never the field that came. */
export function prepareRequest(request: IncomingMessage, target: Target): void {
  const came = request.headers
  const named = namedByConnection(came.connection)
  // Written anew rather than deleted from: an object that lost fields is a slow one, and it is copied twice from here.
  const headers: IncomingHttpHeaders = {}
  for (const name in came) {
    if (!HOP_BY_HOP.has(name) && named?.includes(name) !== true) headers[name] = came[name]
  }
  // Where no content follows there is nothing to wait for (RFC 9110 §10.1.1), and HTTP/1.0 knows no such question.
  if (headers.expect !== undefined && (!hasContent(headers) || request.httpVersion === '1.0'))
    delete headers.expect
  const forwards = maxForwards(request)
  if (forwards !== undefined) headers['max-forwards'] = String(Math.min(forwards - 1, MAX_FORWARDS))
  // One spelling for all readers to come (`Chunked` was read as chunked here).
  if (headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  headers.host = hostField(target)
  const hop = `${request.httpVersion} ${PSEUDONYM}`
  headers.via = came.via === undefined ? hop : `${came.via}, ${hop}`
  request.headers = headers
}

/** Makes the head of a WebSocket handshake ready: it is the one upgrade that is relayed (RFC 9110 §7.8). */
export function prepareUpgrade(request: IncomingMessage, target: Target): void {
  prepareRequest(request, target)
  request.headers.connection = 'Upgrade'
  request.headers.upgrade = 'websocket'
}

export function hasContent(headers: IncomingHttpHeaders): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

/** How many proxies more may pass a request on; undefined where it does not say, or where only its origin reads it. */
export function maxForwards({ method, headers }: IncomingMessage): number | undefined {
  const field = headers['max-forwards']
  return method !== 'OPTIONS' || field === undefined ? undefined : Number(field)
}

/**
 * The head of an answer (or of an informational one) as the client gets it, names and values in turn, each field line
 * where and as it stood.
 */
export function answerFields(
  rawHeaders: readonly string[],
  connection: string | undefined,
  httpVersion: string,
  status: number,
): string[] {
  const named = namedByConnection(connection)
  // RFC 9110 §8.6: these have no content, and a length would be waited for.
  const isLengthless = status < 200 || status === 204
  const fields: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const field = rawHeaders[i] ?? ''
    const name = field.toLowerCase()
    if (DROPPED_OF_ANSWER.has(name) || named?.includes(name)) continue
    if (isLengthless && name === 'content-length') continue
    fields.push(field, rawHeaders[i + 1] ?? '')
  }
  fields.push('Via', `${httpVersion} ${PSEUDONYM}`)
  return fields
}

/**
 * Refuses what no origin should be asked through us: TRACE echoes credentials (so it is never answered as its final
 * recipient either, whatever `Max-Forwards` says), two `Host` are two readings (RFC 9112 §3.2), a transfer coding other
 * than `chunked`, or any in HTTP/1.0, is a framing that the next reader may not share (RFC 9112 §6.1).
 */
export function assertProxyable(request: IncomingMessage): void {
  const { method, headers, httpVersion } = request
  // Node's parser reads 0.9 and 2.0 as well.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw new PreauError('PREAU_BAD_REQUEST')
  const coding = headers['transfer-encoding']
  if (coding !== undefined && (httpVersion === '1.0' || coding.toLowerCase() !== 'chunked'))
    throw new PreauError('PREAU_BAD_REQUEST')
  // A length that some origins read as a negative one (CVE-2021-40346 in haproxy).
  if (Number(headers['content-length'] ?? 0) > Number.MAX_SAFE_INTEGER)
    throw new PreauError('PREAU_BAD_REQUEST')
  if (method === 'TRACE' || !hasProperHost(request)) throw new PreauError('PREAU_BAD_REQUEST')
  // What a body of a CONNECT would be, nobody says (RFC 9110 §9.3.6).
  if (method === 'CONNECT' && (coding !== undefined || Number(headers['content-length'] ?? 0) > 0))
    throw new PreauError('PREAU_BAD_REQUEST')
  if (method === 'OPTIONS' && !/^\d+$/.test(String(headers['max-forwards'] ?? 0)))
    throw new PreauError('PREAU_BAD_REQUEST')
  const { expect } = headers
  if (expect !== undefined && httpVersion !== '1.0' && expect.toLowerCase() !== '100-continue')
    throw new PreauError('PREAU_EXPECTATION_FAILED')
}

// RFC 9110 §7.2 and RFC 3986 §3.2.2: a name or an address, and a port or none.
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?$/i

/** Whether the value of a `Host` field is well formed; what it says is not used. */
export const isHostField = (value: string): boolean => HOST.test(value)

/**
 * One `Host`, well formed (RFC 9112 §3.2). HTTP/1.0 may do without. So may CONNECT: libfetch (FreeBSD, xbps), mitmproxy and old
 * versions of HTTP.jl and Scrapy send none, and its target is the same thing.
 */
function hasProperHost({ method, headers, httpVersion, rawHeaders }: IncomingMessage): boolean {
  const { host } = headers
  if (host === undefined) return httpVersion === '1.0' || method === 'CONNECT'
  return isHostField(host) && countHosts(rawHeaders) === 1
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts++
  }
  return hosts
}
