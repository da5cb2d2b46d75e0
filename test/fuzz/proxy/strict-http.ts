/**
 * A second reading of HTTP/1.1 (RFC 9112), written for tests from the grammar and stricter than any server: what it refuses
 * on the wire beside the proxy is a finding. It reads what has come so far.
 */

export interface Message {
  /** Request line or status line. */
  readonly start: string
  /** Names in lower case. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** Bytes of the whole message. */
  readonly length: number
}

export type Framing = 'none' | 'chunked' | 'until-close' | { readonly length: number }

/** undefined: the head is not whole. */
export type Head = Omit<Message, 'body'> | undefined

const FIELD =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)[ \t]*$/

export function readHead(bytes: Buffer): Head {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [start = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const fields = lines.map(line => {
    const [, name, value] = FIELD.exec(line) ?? []
    if (name === undefined || value === undefined) throw new Error(`field ${JSON.stringify(line)}`)
    return [name.toLowerCase(), value] as const
  })
  return { start, fields, length: end + 4 }
}

export const valuesOf = (head: NonNullable<Head>, name: string): string[] =>
  head.fields.filter(([other]) => other === name).map(([, value]) => value)

/** How the fields frame the body; `otherwise` where they say nothing. */
export function framingOf(head: NonNullable<Head>, otherwise: Framing): Framing {
  const lengths = valuesOf(head, 'content-length')
  const codings = valuesOf(head, 'transfer-encoding')
  if (lengths.length + codings.length > 1) throw new Error('framed in two ways')
  const [length] = lengths
  if (length !== undefined) {
    if (!/^\d+$/.test(length) || Number(length) > Number.MAX_SAFE_INTEGER)
      throw new Error(`Content-Length ${JSON.stringify(length)}`)
    return { length: Number(length) }
  }
  const [coding] = codings
  if (coding === undefined) return otherwise
  if (coding.toLowerCase() !== 'chunked')
    throw new Error(`Transfer-Encoding ${JSON.stringify(coding)}`)
  return 'chunked'
}

/** undefined: not whole. `isClosed`: nothing more will come. */
export function readBody(
  bytes: Buffer,
  head: NonNullable<Head>,
  framing: Framing,
  isClosed = false,
): Message | undefined {
  const rest = bytes.subarray(head.length)
  if (framing === 'chunked') return readChunks(rest, head)
  if (framing === 'until-close')
    return isClosed ? { ...head, body: rest, length: bytes.length } : undefined
  const length = framing === 'none' ? 0 : framing.length
  if (rest.length < length) return undefined
  return { ...head, body: rest.subarray(0, length), length: head.length + length }
}

function readChunks(bytes: Buffer, head: NonNullable<Head>): Message | undefined {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const end = bytes.indexOf('\r\n', at)
    const line = bytes.toString('latin1', at, end === -1 ? bytes.length : end)
    if (!/^[0-9A-Fa-f]{0,8}\r?$/.test(line) || (end !== -1 && line === ''))
      throw new Error(`chunk size ${JSON.stringify(line.slice(0, 80))}`)
    if (end === -1) return undefined
    const size = Number.parseInt(line, 16)
    const after = end + 2 + size
    if (bytes.length < after + 2) return undefined
    if (bytes.toString('latin1', after, after + 2) !== '\r\n') throw new Error('end of a chunk')
    if (size === 0) return { ...head, body: Buffer.concat(parts), length: head.length + after + 2 }
    parts.push(bytes.subarray(end + 2, after))
    at = after + 2
  }
}
