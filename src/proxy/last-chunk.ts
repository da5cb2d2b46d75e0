/** Looks for the last chunk of a chunked body (RFC 9112 §7.1), of which only the lines with the sizes are read. */

const LINE_END = 10
/** More than any size that Node reads has; the rest of such a line is an extension. */
const MAX_SIZE_CHARS = 20
const CRLF_BYTES = 2

export class LastChunk {
  /** Bytes of data, and of the line end behind them, that are still to come. */
  #left = 0
  /** The beginning of a line with a size. */
  #line = ''

  /** How many of these bytes there are up to the end of the line that says 0; undefined: it has not come. */
  endIn(bytes: Buffer): number | undefined {
    let at = 0
    while (at < bytes.length) {
      const skipped = Math.min(this.#left, bytes.length - at)
      this.#left -= skipped
      at += skipped
      const end = bytes.indexOf(LINE_END, at) + 1
      const line = bytes.toString('latin1', at, Math.min(end || bytes.length, at + MAX_SIZE_CHARS))
      this.#line = (this.#line + line).slice(0, MAX_SIZE_CHARS)
      if (end === 0) return undefined
      const size = Number.parseInt(this.#line, 16)
      this.#line = ''
      at = end
      if (size === 0) return at
      // What is no size ends the connection elsewhere: nothing more is read here.
      this.#left = Number.isNaN(size) ? Infinity : size + CRLF_BYTES
    }
    return undefined
  }
}
