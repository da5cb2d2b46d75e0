/** What the server of a tunnel says first: a HelloRetryRequest, which asks for a second ClientHello, or anything else. */
const RETRY_RANDOM = Buffer.from(
  'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c',
  'hex',
)
const RECORD_HEAD = 5
const MESSAGE_HEAD = 4
const VERSION = 2
const RANDOM_AT = RECORD_HEAD + MESSAGE_HEAD + VERSION
const END = RANDOM_AT + RETRY_RANDOM.length
const HANDSHAKE = 22
const SERVER_HELLO = 2

/**
 * A HelloRetryRequest is a ServerHello with a random value of its own (RFC 8446 §4.1.3). A server that cuts it into records of
 * a few bytes to hide it could as well serve whatever it likes in the open: it is not looked for.
 */
export class ServerOpening {
  kind: 'unknown' | 'retry' | 'other' = 'unknown'
  #bytes = Buffer.alloc(0)

  add(bytes: Buffer): void {
    if (this.kind !== 'unknown') return
    this.#bytes = Buffer.concat([this.#bytes, bytes.subarray(0, END)])
    const [type] = this.#bytes
    const message = this.#bytes[RECORD_HEAD]
    if (type !== HANDSHAKE || (message !== undefined && message !== SERVER_HELLO))
      this.kind = 'other'
    else if (this.#bytes.length >= END)
      this.kind = this.#bytes.subarray(RANDOM_AT, END).equals(RETRY_RANDOM) ? 'retry' : 'other'
  }
}
