/**
 * The frames of one direction of a WebSocket (RFC 6455 §5.2), looked at in passing: each head is read, what it announces is
 * skipped. Nothing but frames passes, so that a handshake opens no way for another protocol; SSH and TLS fail at their
 * first byte.
 */

const CONTINUATION = 0
const CLOSE = 8
/** Continuation, text, binary, close, ping, pong; the other ten are reserved. */
const OPCODES = new Set([CONTINUATION, 1, 2, CLOSE, 9, 10])
const FIN = 0x80
const OPCODE = 0x0f
const MASK = 0x80
const LENGTH = 0x7f
/** The first of the reserved bits: what `permessage-deflate` sets on a compressed message (RFC 7692 §6). */
const COMPRESSED = 0x40
const RESERVED = 0x70
const MAX_CONTROL_BYTES = 125
/** No browser sends a longer one, or takes it; behind a head of 2^60 bytes anything could follow for ever. */
const MAX_FRAME_BYTES = 2 ** 31 - 1
const MAX_HEAD_BYTES = 14

export interface FramesOf {
  /** Those of a client are masked, those of a server are not (RFC 6455 §5.1). */
  readonly side: 'client' | 'server'
  /** An extension was agreed upon that may compress. */
  readonly mayCompress: boolean
}

export class Frames {
  readonly #side: FramesOf['side']
  readonly #reserved: number
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES)
  /** How much of a head has come, and how long it is as far as it tells. */
  #have = 0
  #need = 2
  /** What is still to come of the frame. */
  #left = 0
  #isInMessage = false
  #isClosed = false

  constructor({ side, mayCompress }: FramesOf) {
    this.#side = side
    this.#reserved = mayCompress ? RESERVED & ~COMPRESSED : RESERVED
  }

  /** Takes what has come next. False: it is no frame; nothing may follow. */
  take(chunk: Buffer): boolean {
    let at = 0
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at)
        this.#left -= skipped
        at += skipped
        continue
      }
      this.#head[this.#have++] = chunk[at++] ?? 0
      if (this.#have === 1 ? !this.#takeFirst() : this.#have === 2 && !this.#takeSecond())
        return false
      if (this.#have === this.#need && !this.#takeHead()) return false
    }
    return true
  }

  /** What kind of frame it is, and whether such a one may stand here (RFC 6455 §5.4, §5.5.1). */
  #takeFirst(): boolean {
    const first = this.#head[0] ?? 0
    const opcode = first & OPCODE
    const isFinal = (first & FIN) !== 0
    this.#need = 2
    if (this.#isClosed || (first & this.#reserved) !== 0 || !OPCODES.has(opcode)) return false
    if (opcode >= CLOSE) {
      this.#isClosed = opcode === CLOSE
      return isFinal && (first & RESERVED) === 0
    }
    if ((opcode === CONTINUATION) !== this.#isInMessage) return false
    this.#isInMessage = !isFinal
    return true
  }

  #takeSecond(): boolean {
    const [first = 0, second = 0] = this.#head
    const length = second & LENGTH
    const isMasked = (second & MASK) !== 0
    if (isMasked !== (this.#side === 'client')) return false
    if ((first & OPCODE) >= CLOSE && length > MAX_CONTROL_BYTES) return false
    this.#need = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + (isMasked ? 4 : 0)
    return true
  }

  #takeHead(): boolean {
    const length = (this.#head[1] ?? 0) & LENGTH
    if (length === 126) this.#left = this.#head.readUInt16BE(2)
    else if (length === 127) this.#left = Number(this.#head.readBigUInt64BE(2))
    else this.#left = length
    this.#have = 0
    return this.#left <= MAX_FRAME_BYTES
  }
}
