/** Cuts a file into numbered lines of bytes, holding one chunk at most however long the file or its lines are. */
import { open } from 'node:fs/promises'
import { detailOf } from '../../error-detail.ts'
import { PreauError } from '../../errors.ts'

/** Longer lines are cut here and told: a host has 253 characters, a URL of a list seldom more than a thousand. */
export const MAX_LINE_LENGTH = 2_048
const CHUNK_BYTES = 2 ** 20
const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/** A line stands in `bytes` from `start` to before `end`, which hold until the callback returns. */
export type OnByteLine = (
  bytes: Buffer,
  start: number,
  end: number,
  /** From 1. */
  number: number,
  isTooLong: boolean,
) => void

/** Reads the lines of a file, without their ends. Throws PREAU_FILE_UNREADABLE. `onBytes` hears of each chunk's size. */
export async function readByteLines(
  file: string,
  onLine: OnByteLine,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  const unreadable = (error: unknown): never => {
    throw new PreauError('PREAU_FILE_UNREADABLE', { file, detail: detailOf(error) })
  }
  const handle = await open(file, 'r').catch(unreadable)
  const cutter = new LineCutter(onLine)
  try {
    for (;;) {
      const read = handle.read(cutter.buffer, cutter.carried, CHUNK_BYTES, null)
      const { bytesRead } = await read.catch(unreadable)
      if (bytesRead === 0) break
      cutter.take(bytesRead)
      onBytes(bytesRead)
    }
  } finally {
    await handle.close()
  }
  cutter.end()
}

class LineCutter {
  readonly buffer = Buffer.allocUnsafe(CHUNK_BYTES + MAX_LINE_LENGTH + 1)
  /** Bytes of the line that has not ended yet, at the beginning of the buffer. */
  carried = 0
  #number = 0
  #isTooLong = false
  readonly #onLine: OnByteLine

  constructor(onLine: OnByteLine) {
    this.#onLine = onLine
  }

  take(size: number): void {
    const end = this.carried + size
    let start = 0
    for (let at = this.carried; at < end; at++) {
      if (this.buffer[at] !== LINE_FEED) continue
      this.#emit(start, at)
      start = at + 1
    }
    this.carried = end - start
    if (this.carried > MAX_LINE_LENGTH) {
      this.#isTooLong = true
      this.carried = MAX_LINE_LENGTH
    }
    this.buffer.copyWithin(0, start, start + this.carried)
  }

  /** The last line, when the file does not end with a line feed. */
  end(): void {
    if (this.carried > 0) this.#emit(0, this.carried)
    this.carried = 0
  }

  #emit(start: number, lineFeed: number): void {
    const isTooLong = this.#isTooLong || lineFeed - start > MAX_LINE_LENGTH
    this.#isTooLong = false
    let end = Math.min(lineFeed, start + MAX_LINE_LENGTH)
    if (end > start && this.buffer[end - 1] === CARRIAGE_RETURN) end--
    this.#onLine(this.buffer, start, end, ++this.#number, isTooLong)
  }
}
