/**
 * The head of an answer before Node's parser reads it. That parser takes what the standard takes; browsers and other
 * proxies take more, and an old device or a web radio would be closed to schools only. What is certain in its meaning is
 * mended here; what can be read in two ways (two lengths, a length and a coding) is left, and the parser refuses it.
 */

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const COMMA = 0x2c
const COLON = 0x3a
const DELETE = 0x7f
const LOWER = 0x20
/** "HTTP/1." */
const START = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e]
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/
/** Which bytes a name may have (RFC 9110 §5.6.2). */
const IN_NAME = Uint8Array.from({ length: 256 }, (_, byte) =>
  NAME.test(String.fromCharCode(byte)) ? 1 : 0,
)
const LENGTH = 'content-length'
const CODING = 'transfer-encoding'

/**
 * Where a head ends that the parser takes as it stands and that no other head follows. 0: it is not whole, not in order,
 * or informational. This is asked of every answer: one pass over its bytes, nothing is made.
 */
export function endOfCleanHead(bytes: Uint8Array): number {
  const size = bytes.length
  for (let i = 0; i < START.length; i++) if (bytes[i] !== START[i]) return 0
  const isFinal = isDigit(bytes, 9) && byteAt(bytes, 9) >= 0x32
  if ((byteAt(bytes, 7) & ~1) !== 0x30 || bytes[8] !== SPACE || !isFinal) return 0
  if (!isDigit(bytes, 10) || !isDigit(bytes, 11)) return 0
  if (bytes[12] !== SPACE && bytes[12] !== CR) return 0
  let lengths = 0
  let at = 12
  while (at < size) {
    // To the end of a line: the reason phrase or a value.
    let byte = byteAt(bytes, at)
    while ((byte >= SPACE && byte !== DELETE) || byte === TAB) byte = byteAt(bytes, ++at)
    if (byte !== CR || bytes[at + 1] !== LF) return 0
    at += 2
    if (bytes[at] === CR) return bytes[at + 1] === LF ? at + 2 : 0
    const name = at
    while (IN_NAME[byteAt(bytes, at)] === 1) at++
    if (bytes[at] !== COLON || at === name) return 0
    const first = byteAt(bytes, name) | LOWER
    if (first === 0x63 && at - name === LENGTH.length) {
      // Of a second length, or of a list, only a closer look tells whether it is the same.
      if (++lengths > 1 || hasComma(bytes, at)) return 0
    } else if (first === 0x74 && at - name === CODING.length) {
      if (!isChunked(bytes, at + 1)) return 0
    }
  }
  return 0
}

/** 0 behind the end, which no line of a head may hold. */
const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0

const isDigit = (bytes: Uint8Array, at: number): boolean =>
  byteAt(bytes, at) >= 0x30 && byteAt(bytes, at) <= 0x39

function hasComma(bytes: Uint8Array, from: number): boolean {
  for (let at = from; byteAt(bytes, at) > CR; at++) if (bytes[at] === COMMA) return true
  return false
}

/** Whether the value says `chunked`, by the number of its letters: the parser knows no other word of seven. */
function isChunked(bytes: Uint8Array, from: number): boolean {
  let at = from
  while (bytes[at] === SPACE) at++
  const end = bytes.indexOf(CR, at)
  return end - at === 'chunked'.length
}

export interface MendedHead {
  readonly text: string
  /** How many bytes it took as it came. */
  readonly length: number
  /** Whether no other head follows before the body. */
  readonly isFinal: boolean
}

const STATUS_LINE = /^(?:HTTP\/([12])\.(\d)|ICY)[ \t]+(\d{3})(?:[ \t]+([\t -~\x80-\xff]*))?$/i
// oxlint-disable-next-line no-control-regex -- controls are what it is about
const CONTROLS = /[\x01-\x08\x0a-\x1f\x7f]/g

/** Reads what has come of a head, whatever state it is in. 'more': it is not whole; 'bad': it is none. */
export function mendHead(bytes: Buffer): MendedHead | 'more' | 'bad' {
  let start = 0
  // Some servers end the body before with an empty line too many.
  while (bytes[start] === CR || bytes[start] === LF) start++
  const length = endOfHead(bytes, start)
  if (length === 0) return mayBegin(bytes.toString('latin1', start, start + 4)) ? 'more' : 'bad'
  const raw = bytes.toString('latin1', start, length)
  if (raw.includes('\0')) return 'bad'
  const [first = '', ...lines] = raw.split(/\r?\n/).slice(0, -2)
  const [status, major, minor, code = '', reason = ''] = STATUS_LINE.exec(first) ?? []
  if (status === undefined) return 'bad'
  // A later version of the same protocol is read as the latest that is known (RFC 9110 §6.2); a web radio is of 1.0.
  const version = major === undefined || (major === '1' && minor === '0') ? '1.0' : '1.1'
  const whole = unfold(lines)
  const fields = whole.map(mendField).filter(field => field !== undefined)
  if (fields.length < whole.length) return 'bad'
  return {
    text: [`HTTP/${version} ${code} ${reason}`, ...withOneFraming(fields), '', ''].join('\r\n'),
    length,
    isFinal: !code.startsWith('1') || code === '101',
  }
}

const mayBegin = (text: string): boolean =>
  'http'.startsWith(text.toLowerCase()) || 'icy '.startsWith(text.toLowerCase())

/** Lines may end with LF alone (RFC 9112 §2.2). 0: the empty one has not come. */
function endOfHead(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(LF, start); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return 0
}

/** A field on several lines becomes one (RFC 9112 §5.2); such a line before any field is dropped (§2.2). */
function unfold(lines: readonly string[]): string[] {
  const whole: string[] = []
  for (const line of lines) {
    if (!/^[ \t]/.test(line)) whole.push(line)
    else if (whole.length > 0) whole.push(`${whole.pop()} ${trim(line)}`)
  }
  return whole
}

/** No blank before the colon (RFC 9112 §5.1: a proxy must remove it), blanks for controls (RFC 9110 §5.5); undefined: it is none. */
function mendField(line: string): string | undefined {
  const colon = line.indexOf(':')
  const name = trim(line.slice(0, Math.max(0, colon)))
  if (!NAME.test(name)) return undefined
  return `${name}: ${trim(line.slice(colon + 1).replace(CONTROLS, ' '))}`
}

/** Blanks only: a byte that JavaScript takes for one (0xa0) may be the end of a letter. */
function trim(text: string): string {
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB

/**
 * A length that is said several times is said once (RFC 9110 §8.6). The coding `identity` was none, and went with
 * RFC 7230. Where lengths differ, or a coding is said twice, all stays for the parser to refuse.
 */
function withOneFraming(fields: readonly string[]): string[] {
  const lengths = valuesOf(fields, LENGTH).flatMap(value => value.split(',').map(trim))
  const [length] = lengths
  const isOneLength = lengths.length > 1 && lengths.every(one => one === length)
  const codings = valuesOf(fields, CODING)
  const isIdentity = codings.length === 1 && codings[0]?.toLowerCase() === 'identity'
  const kept = fields.filter(
    field => !(isOneLength && isNamed(field, LENGTH)) && !(isIdentity && isNamed(field, CODING)),
  )
  return isOneLength ? [...kept, `Content-Length: ${length}`] : kept
}

const isNamed = (field: string, name: string): boolean =>
  field.length > name.length &&
  field[name.length] === ':' &&
  field.slice(0, name.length).toLowerCase() === name

const valuesOf = (fields: readonly string[], name: string): string[] =>
  fields.filter(field => isNamed(field, name)).map(field => trim(field.slice(name.length + 1)))
