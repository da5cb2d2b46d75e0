/**
 * The ClientHello at the start of a TLS connection (RFC 8446 §4.1.2), read in passing: never altered, only the name in it
 * is taken out. Strict: whatever two readers could take in two ways is malformed, since the origin would be the other one.
 */
import { parseHost, type Host } from '../policy/host.ts'

export type Hello =
  /** Not whole yet, and nothing is wrong so far. */
  | { readonly kind: 'more' }
  /** No TLS begins like this. */
  | { readonly kind: 'not-tls' }
  /** TLS, but no ClientHello that can be trusted. */
  | { readonly kind: 'malformed' }
  /**
   * `name` undefined: it asks for none. `encrypted`: it has an ECH extension, true or GREASE (nobody can tell). `length`: how many
   * of the bytes are its records.
   */
  | {
      readonly kind: 'hello'
      readonly name: Host | undefined
      readonly encrypted: boolean
      readonly length: number
    }

/** Post-quantum keys and padding make 2 to 4 kB; more than this is no browser. */
const MAX_HELLO_BYTES = 16_384

const RECORD_HEAD = 5
const MESSAGE_HEAD = 4
const HANDSHAKE = 22
const CLIENT_HELLO = 1
const MAX_RECORD = 16_384
// Who cuts a hello into more wants to hide it, or to make us busy.
const MAX_RECORDS = 64
const SERVER_NAME = 0
const ENCRYPTED_CLIENT_HELLO = 0xfe0d
const HOST_NAME = 0
const RANDOM_BYTES = 32

const MORE: Hello = { kind: 'more' }
const NOT_TLS: Hello = { kind: 'not-tls' }
const MALFORMED = { kind: 'malformed' } as const satisfies Hello

/** Reads all that a client has said so far. It answers as soon as more bytes could not change the answer. */
export function readClientHello(bytes: Buffer): Hello {
  const start = checkStart(bytes)
  if (start !== undefined) return start
  const gathered = gather(bytes)
  if (!('message' in gathered)) return gathered
  try {
    const said = readMessage(new Reader(gathered.message))
    return 'kind' in said ? said : { kind: 'hello', length: gathered.length, ...said }
  } catch (error) {
    if (error instanceof RangeError) return MALFORMED
    throw error
  }
}

/**
 * What the first bytes tell already: content type 22, a legacy version 3.x. Receivers must ignore that version (RFC 8446
 * §5.1) and some do, so that another one is TLS all the same, and nothing that may pass as something else.
 */
function checkStart(bytes: Buffer): Hello | undefined {
  if (bytes.length === 0) return MORE
  if (bytes[0] !== HANDSHAKE) return NOT_TLS
  if (bytes.length > 1 && bytes[1] !== 3) return MALFORMED
  return undefined
}

interface Gathered {
  readonly message: Buffer
  /** Bytes of its records. */
  readonly length: number
}

/** The handshake message, out of as many records as it was cut into (RFC 8446 §5.1); or why there is none. */
function gather(bytes: Buffer): Gathered | Hello {
  const fragments: Buffer[] = []
  let length = 0
  let isCut = false
  for (let at = 0; at < bytes.length && !isCut;) {
    const head = bytes.subarray(at, at + RECORD_HEAD)
    const wrong = checkHead(head)
    if (wrong !== undefined) return wrong
    if (head.length < RECORD_HEAD) break
    const end = at + RECORD_HEAD + head.readUInt16BE(3)
    const fragment = bytes.subarray(at + RECORD_HEAD, end)
    fragments.push(fragment)
    length += fragment.length
    isCut = end > bytes.length
    at = end
    const size = sizeOf(fragments)
    if (typeof size !== 'number') return size
    if (fragments.length > MAX_RECORDS) return MALFORMED
    // Behind it in the same record could only stand a second one, which no client sends before it was asked to.
    if (length > size) return MALFORMED
    // What follows in other records (early data, say) is no part of it, and may be anything.
    if (length === size && !isCut) return { message: messageOf(fragments), length: at }
  }
  return MORE
}

const messageOf = (fragments: readonly Buffer[]): Buffer =>
  fragments.length === 1 && fragments[0] !== undefined ? fragments[0] : Buffer.concat(fragments)

/** The head of a record, or the part of it that has come; undefined: right so far. */
function checkHead(head: Buffer): Hello | undefined {
  if (head.length > 0 && head[0] !== HANDSHAKE) return MALFORMED
  if (head.length > 1 && head[1] !== 3) return MALFORMED
  if (head.length < RECORD_HEAD) return undefined
  const length = head.readUInt16BE(3)
  // An empty record of a handshake is forbidden (RFC 8446 §5.1).
  return length === 0 || length > MAX_RECORD ? MALFORMED : undefined
}

/** How long the whole message is, its head included. Infinity: its head is not whole. */
function sizeOf(fragments: readonly Buffer[]): number | Hello {
  const [first] = fragments
  if (first === undefined || first.length === 0) return Infinity
  if (first[0] !== CLIENT_HELLO) return MALFORMED
  const head =
    first.length >= MESSAGE_HEAD ? first : Buffer.concat(fragments.slice(0, MESSAGE_HEAD))
  if (head.length < MESSAGE_HEAD) return Infinity
  const size = MESSAGE_HEAD + head.readUIntBE(1, 3)
  return size > MAX_HELLO_BYTES ? MALFORMED : size
}

/** Reads forward; throws a RangeError past the end, as Buffer does. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.skip(1))
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.skip(2))
  }

  /** Answers where the skipped bytes begin. */
  skip(count: number): number {
    const from = this.#at
    if (from + count > this.#bytes.length) throw new RangeError('beyond the end')
    this.#at += count
    return from
  }

  take(count: number): Buffer {
    const from = this.skip(count)
    return this.#bytes.subarray(from, from + count)
  }
}

type Said = Pick<Extract<Hello, { kind: 'hello' }>, 'name' | 'encrypted'>

function readMessage(message: Reader): Said | typeof MALFORMED {
  message.skip(MESSAGE_HEAD)
  message.skip(2 + RANDOM_BYTES)
  if (message.take(message.uint8()).length > 32) return MALFORMED
  const suites = message.take(message.uint16())
  if (suites.length === 0 || suites.length % 2 === 1) return MALFORMED
  if (message.take(message.uint8()).length === 0) return MALFORMED
  // Hellos of before TLS 1.2 may end here (RFC 5246 §7.4.1.2).
  if (message.isAtEnd) return { name: undefined, encrypted: false }
  const extensions = new Reader(message.take(message.uint16()))
  return message.isAtEnd ? readExtensions(extensions) : MALFORMED
}

function readExtensions(extensions: Reader): Said | typeof MALFORMED {
  let names = 0
  let name: Host | undefined
  let encrypted = false
  while (!extensions.isAtEnd) {
    const type = extensions.uint16()
    const body = extensions.take(extensions.uint16())
    if (type === ENCRYPTED_CLIENT_HELLO) encrypted = true
    if (type !== SERVER_NAME) continue
    // Two of a kind are forbidden (RFC 8446 §4.2): which one would the origin read?
    if (names++ > 0) return MALFORMED
    name = readServerName(new Reader(body))
    if (name === undefined) return MALFORMED
  }
  return { name, encrypted }
}

/** The one name of a server_name extension (RFC 6066 §3); undefined for several, for none, or for what is no host. */
function readServerName(list: Reader): Host | undefined {
  const names = new Reader(list.take(list.uint16()))
  if (!list.isAtEnd) return undefined
  if (names.uint8() !== HOST_NAME) return undefined
  const name = names.take(names.uint16())
  if (!names.isAtEnd || name.some(byte => byte <= 0x20 || byte >= 0x7f)) return undefined
  return parseHost(name.toString('latin1'))
}
