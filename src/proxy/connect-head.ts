/**
 * The head of a plain CONNECT, read without an HTTP parser: most of what passes here are tunnels, and Node's server
 * spends more on a request object than the verdict costs. It takes only what cannot be read in two ways; all else is
 * left to Node's parser, which answers for it.
 */

import { isHostField } from './headers.ts'

export interface ConnectHead {
  /** The target as it stands in the request line. */
  readonly authority: string
  /** Bytes of the head, its empty line included; what follows belongs to the tunnel. */
  readonly length: number
}

const METHOD = Buffer.from('CONNECT ')
const END = Buffer.from('\r\n\r\n')
// RFC 9112 §3 and §5: visible characters in the target, token names, no fold, no bare CR or LF, one space, HTTP/1.1.
const HEAD =
  /^CONNECT ([!-~]+) HTTP\/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)+\r\n$/
// A body or another protocol after a CONNECT is for the strict parser to judge (RFC 9110 §9.3.6).
const FRAMING = new Set(['content-length', 'transfer-encoding', 'upgrade', 'expect'])

/** undefined: not whole, or not plainly a CONNECT. `maxBytes` bounds the head, `maxFields` its fields; 0: no bound. */
export function readConnectHead(
  bytes: Buffer,
  { maxBytes, maxFields }: { readonly maxBytes: number; readonly maxFields: number },
): ConnectHead | undefined {
  if (bytes.length < METHOD.length || METHOD.compare(bytes, 0, METHOD.length) !== 0)
    return undefined
  const end = bytes.indexOf(END)
  if (end === -1) return undefined
  const length = end + END.length
  if (maxBytes > 0 && length > maxBytes) return undefined
  const text = bytes.toString('latin1', 0, length)
  const authority = HEAD.exec(text)?.[1]
  if (authority === undefined) return undefined
  let fields = 0
  let hosts = 0
  for (let at = text.indexOf('\n') + 1; at < end; at = text.indexOf('\n', at) + 1) {
    const name = text.slice(at, text.indexOf(':', at)).toLowerCase()
    fields++
    if (name === 'host') {
      hosts++
      const value = text.slice(at + name.length + 1, text.indexOf('\r', at)).trim()
      if (value !== authority && !isHostField(value)) return undefined
    } else if (FRAMING.has(name)) return undefined
  }
  // No `Host`, or two: two readings (RFC 9112 §3.2).
  if (hosts !== 1 || (maxFields > 0 && fields > maxFields)) return undefined
  return { authority, length }
}
