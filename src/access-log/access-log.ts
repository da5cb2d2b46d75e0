/** The access log: one JSON line per closed exchange, one file a day, written by `pino` without waiting for the disk. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { civilDate, endOfDay } from '../policy/schedule.ts'
import { DayFile } from './day-file.ts'

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
  /** Of a line that stands for many that were refused alike. */
  readonly times?: number
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
  /** Called with the number of lines that have found no place on the disk. */
  readonly onLost?: (lines: number) => void
}

const FLUSH_MS = 200
const LOOK_MS = 1_000
/** One on which the clocks are set back an hour. */
const LONGEST_DAY_MS = 25 * 3_600_000

/** The name of the file of a day: `access-2026-11-22.jsonl`. Several workers append whole lines to the same file. */
export function fileOfDay(date: string): string {
  return `access-${date}.jsonl`
}

export function openAccessLog(options: AccessLogOptions): AccessLog {
  const { dir, timeZone, clock, onLost = () => undefined } = options
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const openDay = (now: number): DayFile => {
    const file = join(dir, fileOfDay(civilDate(now, timeZone())))
    return new DayFile(file, endOfDay(now, timeZone()), onLost)
  }
  let day = openDay(clock())
  const ended = new Set<Promise<void>>()
  const timers = [
    setInterval(() => day.flush(), FLUSH_MS).unref(),
    setInterval(() => void day.look(), LOOK_MS).unref(),
  ]
  return {
    write(entry) {
      const now = clock()
      // A clock that was set back by more than a day has left the day of the file, too.
      if (now >= day.until || now < day.until - LONGEST_DAY_MS) {
        const closing = day.end().finally(() => ended.delete(closing))
        ended.add(closing)
        day = openDay(now)
      }
      day.write(lineOf(entry, now))
    },
    async close() {
      for (const timer of timers) clearInterval(timer)
      await Promise.all([...ended, day.end()])
    },
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
