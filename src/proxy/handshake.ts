/** The two heads that open a WebSocket (RFC 6455 §4): what makes a request one of them, and an answer its acceptance. */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { PreauError } from '../errors.ts'

/** Sixteen bytes in base64. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
const VERSION = '13'
/** What a server appends to the key (RFC 6455 §1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Whether an upgrade is asked for that might be one: `assertHandshake` says whether it is. */
export function asksForWebSocket({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['transfer-encoding'] === undefined &&
    !Number(headers['content-length'])
  )
}

/** Answers its key. Throws PREAU_NOT_WEBSOCKET for what no WebSocket server may take (RFC 6455 §4.2.1). */
export function assertHandshake(request: IncomingMessage): string {
  const { headers, httpVersion } = request
  const key = headers['sec-websocket-key'] ?? ''
  const isOne =
    asksForWebSocket(request) &&
    httpVersion === '1.1' &&
    KEY.test(key) &&
    headers['sec-websocket-version'] === VERSION
  if (!isOne) throw new PreauError('PREAU_NOT_WEBSOCKET')
  return key
}

/** Whether a 101 answers this very key: who has not understood the handshake cannot know what to say. */
export function accepts(answer: IncomingHttpHeaders, key: string): boolean {
  const expected = createHash('sha1')
    .update(key + GUID)
    .digest('base64')
  return (
    answer['sec-websocket-accept'] === expected && answer.upgrade?.toLowerCase() === 'websocket'
  )
}
