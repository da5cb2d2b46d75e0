/** Finds a word in a big file without reading it line by line: bytes are searched, and lines counted up to what is found. */
import { open } from 'node:fs/promises'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { MAX_LINE_LENGTH } from './reading/byte-lines.ts'

export interface FoundLine {
  /** From 1. */
  readonly number: number
  readonly text: string
}

const CHUNK_BYTES = 2 ** 20
/** Room for a line that has not ended and for its line feed, in whole words. */
const BUFFER_BYTES = CHUNK_BYTES + MAX_LINE_LENGTH + 4
const LINE_FEED = 10
const DOT = 46
const HYPHEN = 45
const UNDERSCORE = 95

/** What may go on a label of a host: `example.com` does not stand in `my-example.com` or `example.community`. */
function isLabel(code: number | undefined): boolean {
  if (code === undefined) return false
  const isDigit = code >= 48 && code <= 57
  const isLetter = (code | 32) >= 97 && (code | 32) <= 122
  return isDigit || isLetter || code === HYPHEN || code === UNDERSCORE
}

/**
 * Calls back for each line in which the host `word` (lower case) stands as a whole or after a dot; false ends the search.
 * Lines longer than `MAX_LINE_LENGTH` are passed over. Throws PREAU_FILE_UNREADABLE.
 */
export async function findLines(
  file: string,
  word: string,
  onLine: (line: FoundLine) => boolean,
): Promise<void> {
  const unreadable = (error: unknown): never => {
    throw new PreauError('PREAU_FILE_UNREADABLE', { file, detail: detailOf(error) })
  }
  const handle = await open(file, 'r').catch(unreadable)
  const search = new Search(Buffer.from(word), onLine)
  try {
    for (;;) {
      const read = handle.read(search.buffer, search.carried, CHUNK_BYTES, null)
      const { bytesRead } = await read.catch(unreadable)
      if (bytesRead === 0) break
      if (!search.take(bytesRead)) return
    }
  } finally {
    await handle.close()
  }
  search.end()
}

class Search {
  readonly buffer: Buffer
  readonly #words: Int32Array
  /** Bytes of the line that has not ended yet, at the beginning of the buffer. */
  carried = 0
  readonly #word: Buffer
  readonly #onLine: (line: FoundLine) => boolean
  /** Lines that ended before the buffer. */
  #lines = 0
  /** What is carried is the rest of a line that is passed over. */
  #isCut = false

  constructor(word: Buffer, onLine: (line: FoundLine) => boolean) {
    const memory = new ArrayBuffer(BUFFER_BYTES)
    this.buffer = Buffer.from(memory)
    this.#words = new Int32Array(memory)
    this.#word = word
    this.#onLine = onLine
  }

  /** Takes bytes that were read behind those carried. False: no more is wanted. */
  take(size: number): boolean {
    const end = this.carried + size
    const last = this.buffer.subarray(0, end).lastIndexOf(LINE_FEED)
    if (last !== -1 && !this.#search(last)) return false
    const start = last + 1
    if (last !== -1) this.#isCut = false
    this.carried = end - start
    if (this.carried > MAX_LINE_LENGTH) {
      this.#isCut = true
      this.carried = 0
    }
    this.buffer.copyWithin(0, start, start + this.carried)
    return true
  }

  /** The last line, when the file does not end with a line feed. */
  end(): void {
    if (this.carried === 0) return
    this.buffer[this.carried] = LINE_FEED
    this.#search(this.carried)
  }

  /** Searches the whole lines that end at `last`, a line feed. */
  #search(last: number): boolean {
    const { buffer } = this
    const word = this.#word
    const lines = buffer.subarray(0, last)
    let counted = 0
    for (let at = lines.indexOf(word); at !== -1; at = lines.indexOf(word, at + 1)) {
      const after = buffer[at + word.length]
      if (isLabel(after) || after === DOT || (at > 0 && isLabel(buffer[at - 1]))) continue
      const start = lines.lastIndexOf(LINE_FEED, at) + 1
      const end = buffer.indexOf(LINE_FEED, at)
      this.#lines += countLines(buffer, this.#words, counted, start)
      counted = start
      const isTooLong = end - start > MAX_LINE_LENGTH || (start === 0 && this.#isCut)
      const text = isTooLong ? '' : buffer.toString('utf8', start, end)
      if (!isTooLong && !this.#onLine({ number: this.#lines + 1, text })) return false
      at = end - 1
    }
    this.#lines += countLines(buffer, this.#words, counted, last + 1)
    return true
  }
}

/** Four bytes at a time: most of the search would be spent here otherwise. */
function countLines(buffer: Buffer, words: Int32Array, from: number, to: number): number {
  let count = 0
  let at = from
  for (; at < to && at % 4 !== 0; at++) if (buffer[at] === LINE_FEED) count++
  const end = to >> 2
  for (let word = at >> 2; word < end; word++, at += 4) {
    const x = (words[word] ?? 0) ^ 0x0a0a0a0a
    // The high bit of each byte that is zero in `x`, exactly; then these bits are added up.
    const sums = ((x & 0x7f7f7f7f) + 0x7f7f7f7f) | 0
    const zeros = ~(sums | x | 0x7f7f7f7f) >>> 7
    count += Math.imul(zeros, 0x01010101) >>> 24
  }
  for (; at < to; at++) if (buffer[at] === LINE_FEED) count++
  return count
}
