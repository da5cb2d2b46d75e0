/** Cuts a stream of bytes into numbered lines, holding one line at most however long the file or its lines are. */
import { StringDecoder } from 'node:string_decoder'

/** Longer lines are cut here and told: a host has 253 characters, a URL of a list seldom more than a thousand. */
export const MAX_LINE_LENGTH = 2_048

export interface Line {
  readonly text: string
  /** From 1. */
  readonly number: number
  readonly isTooLong: boolean
}

export class LineSplitter {
  readonly #onLine: (line: Line) => void
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  #number = 0
  #isTooLong = false

  constructor(onLine: (line: Line) => void) {
    this.#onLine = onLine
  }

  push(chunk: Buffer): void {
    const text = this.#rest + this.#decoder.write(chunk)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#emit(text.slice(start, end))
      start = end + 1
    }
    this.#rest = text.slice(start)
    if (this.#rest.length > MAX_LINE_LENGTH) {
      this.#isTooLong = true
      this.#rest = this.#rest.slice(0, MAX_LINE_LENGTH)
    }
  }

  /** The last line, when the file does not end with a line feed. */
  end(): void {
    this.#rest += this.#decoder.end()
    if (this.#rest !== '') this.#emit(this.#rest)
    this.#rest = ''
  }

  #emit(text: string): void {
    const isTooLong = this.#isTooLong || text.length > MAX_LINE_LENGTH
    this.#isTooLong = false
    this.#onLine({ text: text.slice(0, MAX_LINE_LENGTH), number: ++this.#number, isTooLong })
  }
}
