/** The access log: one JSON line per closed exchange, one file a day, written by `pino` without waiting for the disk. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { civilDate, endOfDay } from '../policy/schedule.ts'

/** A closed exchange. No path, no query, no name of a person: what the charter allows to keep. */
export interface AccessLogEntry {
  readonly exchange: string
  readonly ip: string
  readonly site: string
  readonly room: string
  readonly profile: string
  readonly method: string
  readonly host: string
  readonly port: number
  /** The name in the ClientHello of a tunnel, where it is not `host`. */
  readonly hello?: string | undefined
  readonly verdict: string
  readonly reason: string
  readonly category?: string | undefined
  /** What was answered; 0 when the client left before any answer. */
  readonly status: number
  /** Bytes from the client and to the client, heads included. */
  readonly bytesUp: number
  readonly bytesDown: number
  readonly durationMs: number
}

export interface AccessLog {
  write(entry: AccessLogEntry): void
  /** Writes what is buffered; resolves when it is with the system. */
  close(): Promise<void>
}

export interface AccessLogOptions {
  readonly dir: string
  readonly timeZone: () => string
  readonly clock: () => number
}

/** Lines are handed over in bundles of about this size: the destination measures all that it holds at each write. */
const BUNDLE_CHARS = 32_768
const MAX_WRITE_BYTES = 131_072
/** What waits for a disk that stalls; beyond it lines are lost, and the memory stays. */
const MAX_WAITING_BYTES = 16_777_216
const FLUSH_MS = 200

/** The name of the file of a day: `access-2026-11-22.jsonl`. Several workers append whole lines to the same file. */
export function fileOfDay(date: string): string {
  return `access-${date}.jsonl`
}

export function openAccessLog({ dir, timeZone, clock }: AccessLogOptions): AccessLog {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  let day = openDay(dir, clock(), timeZone())
  const ended = new Set<Promise<void>>()
  const flush = setInterval(() => day.flush(), FLUSH_MS)
  flush.unref()
  return {
    write(entry) {
      const now = clock()
      if (now >= day.until) {
        const closing = end(day).finally(() => ended.delete(closing))
        ended.add(closing)
        day = openDay(dir, now, timeZone())
      }
      day.write(lineOf(entry, now))
    },
    async close() {
      clearInterval(flush)
      await Promise.all([...ended, end(day)])
    },
  }
}

type Day = ReturnType<typeof openDay>

function openDay(dir: string, now: number, timeZone: string) {
  const file = join(dir, fileOfDay(civilDate(now, timeZone)))
  const destination = pino.destination({
    dest: file,
    append: true,
    sync: false,
    maxWrite: MAX_WRITE_BYTES,
    maxLength: MAX_WAITING_BYTES,
    mode: 0o600,
  })
  // A full disk must not stop the filter (security case 114): the lines are lost, the exchanges go on.
  destination.on('error', () => undefined)
  let bundle = ''
  const flushBundle = (): void => {
    if (bundle !== '') destination.write(bundle)
    bundle = ''
  }
  return {
    until: endOfDay(now, timeZone),
    destination,
    write(line: string) {
      bundle += line
      if (bundle.length >= BUNDLE_CHARS) flushBundle()
    },
    flush: flushBundle,
  }
}

/** The line as it is kept; `v` tells readers its shape. `JSON.stringify` escapes what would end a line (case 100). */
function lineOf(entry: AccessLogEntry, now: number): string {
  return `{"v":1,"time":"${isoTime(now)}",${JSON.stringify(entry).slice(1)}\n`
}

// Writing a date costs more than the rest of the line, and a busy second has a thousand lines.
let second = 0
let secondText = ''

function isoTime(now: number): string {
  const current = Math.floor(now / 1_000)
  if (current !== second) [second, secondText] = [current, new Date(now).toISOString().slice(0, 20)]
  return `${secondText}${String(now - current * 1_000).padStart(3, '0')}Z`
}

function end({ destination, flush }: Day): Promise<void> {
  flush()
  return new Promise(resolve => {
    destination.once('close', resolve)
    destination.once('error', () => resolve())
    destination.end()
  })
}
