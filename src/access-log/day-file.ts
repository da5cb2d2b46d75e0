/**
 * The file of one day of the access log: lines are buffered and appended without waiting for the disk. A disk that is full
 * must not stop the filter (security case 114): what finds no place waits, then is lost and counted, and the exchanges go on.
 * A file that was renamed or deleted meanwhile (logrotate, a person) is opened anew: its old inode is in no folder.
 */
import { fstatSync, mkdirSync, openSync, type Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import pino from 'pino'

/** Lines are handed over in bundles of about this size: the destination measures all that it holds at each write. */
const BUNDLE_CHARS = 32_768
const MAX_WRITE_BYTES = 131_072
/** What waits for a disk that stalls; beyond it lines are lost, and the memory stays. */
const MAX_WAITING_BYTES = 16_777_216

interface Opened {
  readonly destination: ReturnType<typeof pino.destination>
  readonly fd: number
  readonly inode: string
}

const inodeOf = ({ dev, ino }: Stats): string => `${dev}:${ino}`

export class DayFile {
  /** Epoch ms of its end. */
  readonly until: number
  readonly #path: string
  readonly #onLost: (lines: number) => void
  #opened: Opened | undefined
  #bundle = ''
  /** Lines that may have gone to a file which stood in no folder any more. */
  #sinceLook = ''
  #isLooking = false
  /** Files that this day has left, until all that they were given is with the system. */
  readonly #left = new Set<Promise<void>>()

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
    if (this.#opened === undefined) this.#open()
    this.#handOver()
  }

  /** Whether the file is still the one of its name. What a deleted file got since the last look is written once more. */
  async look(): Promise<void> {
    const opened = this.#opened
    if (opened === undefined || this.#isLooking) return
    const before = this.#sinceLook
    this.#sinceLook = ''
    this.#isLooking = true
    const found = await stat(this.#path).then(inodeOf, () => undefined)
    this.#isLooking = false
    if (found === opened.inode || this.#opened !== opened) return
    this.#opened = undefined
    if (fstatSync(opened.fd).nlink === 0) this.#bundle = before + this.#sinceLook + this.#bundle
    this.#sinceLook = ''
    const left = finish(opened).finally(() => this.#left.delete(left))
    this.#left.add(left)
    this.flush()
  }

  /** Resolves when all of it is with the system, or lost. */
  async end(): Promise<void> {
    this.flush()
    const opened = this.#opened
    this.#opened = undefined
    if (opened === undefined) this.#lose(this.#bundle)
    await Promise.all([...this.#left, opened && finish(opened)])
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
    const destination = pino.destination({
      dest: fd,
      sync: false,
      maxWrite: MAX_WRITE_BYTES,
      maxLength: MAX_WAITING_BYTES,
    })
    // Bytes that were refused stay first in the queue, so that no line is torn when there is place again.
    destination.on('error', () => undefined)
    destination.on('drop', (lines: string) => this.#lose(lines))
    this.#opened = { destination, fd, inode: inodeOf(fstatSync(fd)) }
  }

  #handOver(): void {
    if (this.#bundle === '') return
    if (this.#opened !== undefined) {
      this.#opened.destination.write(this.#bundle)
      // A look that waits for a dead disk must not fill the memory.
      if (this.#sinceLook.length < MAX_WAITING_BYTES) this.#sinceLook += this.#bundle
    } else if (this.#bundle.length > MAX_WAITING_BYTES) this.#lose(this.#bundle)
    else return
    this.#bundle = ''
  }

  #lose(lines: string): void {
    const count = lines.split('\n').length - 1
    if (count > 0) this.#onLost(count)
  }
}

function finish({ destination }: Opened): Promise<void> {
  return new Promise(resolve => {
    destination.once('close', resolve)
    destination.once('error', () => {
      destination.destroy()
      resolve()
    })
    destination.end()
  })
}
