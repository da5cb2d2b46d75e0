/** Which hosts this city really asks for: counted from the files of the access log, byte by byte, in bounded memory. */
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { parseHost, type Host } from '../policy/host.ts'
import type { Asked } from '../policy/rehearsal.ts'
import { dayOfFile } from './retention.ts'

const DAY_MS = 86_400_000
const CHUNK_BYTES = 2 ** 20
const QUOTE = 0x22
/** A rotation may have compressed it; its hosts are then not counted. */
const COMPRESSED = /\.(?:gz|bz2|xz|zst)$/
// A quote within a JSON string is escaped, so that no value can hold these bytes: they are the key of the entry.
const KEY = Buffer.from('"host":"')
/** Stands before the key, in the same line, where the exchange was a tunnel: its addresses are hidden. */
const TUNNEL = Buffer.from('"method":"CONNECT"')
const NEWLINE = 0x0a
/** How much of a line before the key is looked at; what the log writes there is shorter. */
const MAX_BEFORE = 1_024
/** The longest name of RFC 1035, and its closing quote. */
const MAX_VALUE = 254

/**
 * Counts the exchanges of each host in the files of the last `days` days. Lines without a whole host are left out. Of
 * more than `maxHosts` hosts those asked for most are kept. Throws PREAU_FILE_UNREADABLE.
 */
export async function seenHosts(
  dir: string,
  days: number,
  now: number,
  maxHosts: number,
): Promise<Map<Host, Asked>> {
  const names = await readdir(dir).catch(() => [])
  const isRecent = (name: string): boolean => {
    const day = dayOfFile(name)
    return day !== undefined && day + DAY_MS > now - days * DAY_MS && !COMPRESSED.test(name)
  }
  const tally = new Tally(maxHosts)
  if (days === 0) return tally.finish()
  for (const name of names.filter(isRecent).sort()) await readLog(join(dir, name), tally)
  return tally.finish()
}

async function readLog(file: string, tally: Tally): Promise<void> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    // Its time was over, and the housekeeping was faster.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unreadable(file, error)
  })
  if (handle === undefined) return
  try {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
    for (let kept = 0; ;) {
      const { bytesRead } = await handle.read(buffer, kept, CHUNK_BYTES - kept)
      if (bytesRead === 0) return
      const end = kept + bytesRead
      const rest = countIn(buffer.subarray(0, end), tally)
      buffer.copyWithin(0, rest, end)
      kept = end - rest
    }
  } catch (error) {
    throw unreadable(file, error)
  } finally {
    await handle.close()
  }
}

const unreadable = (file: string, error: unknown): PreauError =>
  new PreauError('PREAU_FILE_UNREADABLE', { file, detail: detailOf(error) })

/** Answers where the bytes begin that the next chunk is needed for. */
function countIn(bytes: Buffer, tally: Tally): number {
  let at = 0
  for (;;) {
    const key = bytes.indexOf(KEY, at)
    if (key === -1) return Math.max(at, beginOfLine(bytes, bytes.length))
    const start = key + KEY.length
    const end = bytes.indexOf(QUOTE, start)
    const before = Math.max(at, beginOfLine(bytes, key))
    if (end === -1 && bytes.length - start < MAX_VALUE) return before
    const isTunnel = bytes.subarray(before, key).includes(TUNNEL)
    const isWhole =
      end !== -1 &&
      end - start < MAX_VALUE &&
      tally.add(bytes.toString('latin1', start, end), isTunnel)
    // A line that was cut short runs into the next one: that one may be whole.
    at = isWhole ? end : start
  }
}

const beginOfLine = (bytes: Buffer, end: number): number =>
  Math.max(end - MAX_BEFORE, end === 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1)

interface Count {
  exchanges: number
  plain: number
}

/** Counts by host. At twice its size it drops those asked for least, so that a flood of odd names evicts no real one. */
class Tally {
  readonly #max: number
  #counts = new Map<string, Count>()

  constructor(max: number) {
    this.#max = max
  }

  /** False when the text is no host. */
  add(text: string, isTunnel: boolean): boolean {
    let count = this.#counts.get(text)
    if (count === undefined) {
      if (parseHost(text) !== text) return false
      count = { exchanges: 0, plain: 0 }
      this.#counts.set(text, count)
    }
    count.exchanges++
    if (!isTunnel) count.plain++
    if (this.#counts.size >= 2 * this.#max) this.#shrink()
    return true
  }

  finish(): Map<Host, Asked> {
    this.#shrink()
    return this.#counts as Map<Host, Count>
  }

  #shrink(): void {
    if (this.#counts.size <= this.#max) return
    const ordered = [...this.#counts].sort(([, a], [, b]) => b.exchanges - a.exchanges)
    this.#counts = new Map(ordered.slice(0, this.#max))
  }
}
