/**
 * The file of one day of the access log: lines are buffered and appended without waiting for the disk. A disk that is full
 * must not stop the filter (security case 114): what finds no place waits, then is lost and counted, and the exchanges go on.
 */
import { mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import pino from 'pino'

/** Lines are handed over in bundles of about this size: the destination measures all that it holds at each write. */
const BUNDLE_CHARS = 32_768
const MAX_WRITE_BYTES = 131_072
/** What waits for a disk that stalls; beyond it lines are lost, and the memory stays. */
const MAX_WAITING_BYTES = 16_777_216

type Destination = ReturnType<typeof pino.destination>

export class DayFile {
  /** Epoch ms of its end. */
  readonly until: number
  readonly #path: string
  readonly #onLost: (lines: number) => void
  #destination: Destination | undefined
  #bundle = ''

  constructor(path: string, until: number, onLost: (lines: number) => void) {
    this.until = until
    this.#path = path
    this.#onLost = onLost
    this.#open()
  }

  write(line: string): void {
    this.#bundle += line
    if (this.#bundle.length >= BUNDLE_CHARS) this.#handOver()
  }

  /** Hands over what is buffered; a file that could not be opened is tried again. */
  flush(): void {
    if (this.#destination === undefined) this.#open()
    this.#handOver()
  }

  /** Resolves when all of it is with the system, or lost. */
  end(): Promise<void> {
    this.flush()
    const destination = this.#destination
    if (destination === undefined) {
      this.#lose(this.#bundle)
      return Promise.resolve()
    }
    return new Promise(resolve => {
      destination.once('close', resolve)
      destination.once('error', () => {
        destination.destroy()
        resolve()
      })
      destination.end()
    })
  }

  // Opened here rather than by the destination: one that has failed to open throws at the next line (no descriptor left,
  // no place for a new name, the folder gone), and a worker that dies of its log would filter nothing.
  #open(): void {
    let fd: number
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      fd = openSync(this.#path, 'a', 0o600)
    } catch {
      return
    }
    this.#destination = pino.destination({
      dest: fd,
      sync: false,
      maxWrite: MAX_WRITE_BYTES,
      maxLength: MAX_WAITING_BYTES,
    })
    // Bytes that were refused stay first in the queue, so that no line is torn when there is place again.
    this.#destination.on('error', () => undefined)
    this.#destination.on('drop', (lines: string) => this.#lose(lines))
  }

  #handOver(): void {
    if (this.#bundle === '') return
    if (this.#destination !== undefined) this.#destination.write(this.#bundle)
    else if (this.#bundle.length > MAX_WAITING_BYTES) this.#lose(this.#bundle)
    else return
    this.#bundle = ''
  }

  #lose(lines: string): void {
    const count = lines.split('\n').length - 1
    if (count > 0) this.#onLost(count)
  }
}
