/** Civil time in the city's time zone: opening hours, the end of a day. The clock is always an argument. */
import { z } from 'zod'
import { inBoth } from '../schema-faults.ts'

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const MAX_WINDOWS = 50
const HOUR = inBoth('une heure telle que "08:00"', 'a time such as "08:00"')
const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, HOUR)

/**
 * When the Internet is open. `to` is exclusive, and `24:00` ends a day. Where `to` comes before `from`, the window passes
 * midnight and ends on the next day: `days` are those on which it begins.
 */
export const hoursSchema = z
  .array(
    z
      .strictObject({
        days: z.array(z.enum(DAYS)).min(1).max(DAYS.length),
        from: clock,
        to: z.union([clock, z.literal('24:00')], { error: HOUR }),
      })
      .refine(
        ({ from, to }) => from !== to,
        inBoth('"from" et "to" doivent différer', '"from" and "to" must differ'),
      ),
  )
  .max(MAX_WINDOWS)
export type Hours = z.infer<typeof hoursSchema>
type Window = Hours[number]

export const passesMidnight = ({ from, to }: Window): boolean => to < from

/** Whether it is open, and where it is closed the next time it opens (epoch ms), when there is one. */
export interface Opening {
  readonly isOpen: boolean
  readonly opensAt?: number
}

/** An opening, from its first instant to its end: epoch ms. */
interface Span {
  readonly from: number
  readonly until: number
}

/** A week, and what yesterday has left open. */
const LOOKED_AHEAD_DAYS = 8

/** Compiles opening hours to a question of the instant. The answer is kept as long as it stands: civil time is slow to compute. */
export function compileHours(hours: Hours, timeZone: string): (now: number) => Opening {
  let known: Span = { from: Infinity, until: -Infinity }
  let opening: Opening = { isOpen: false }
  return now => {
    if (now < known.from || now >= known.until) [known, opening] = openingAt(hours, timeZone, now)
    return opening
  }
}

function openingAt(hours: Hours, timeZone: string, now: number): [Span, Opening] {
  const today = zoned(now, timeZone).toPlainDate()
  const from = today.subtract({ days: 1 })
  const dates = Array.from({ length: LOOKED_AHEAD_DAYS + 1 }, (_, days) => from.add({ days }))
  const spans = joined(dates.flatMap(date => spansOf(hours, date, timeZone)))
  const open = spans.find(span => span.from <= now && now < span.until)
  if (open !== undefined) return [open, { isOpen: true }]
  const opensAt = spans.find(span => span.from > now)?.from
  const last = spans.findLast(span => span.until <= now)?.until ?? now
  return opensAt === undefined
    ? [{ from: last, until: endOfDay(now, timeZone) }, { isOpen: false }]
    : [
        { from: last, until: opensAt },
        { isOpen: false, opensAt },
      ]
}

/** What begins on a civil day. */
function spansOf(hours: Hours, date: Temporal.PlainDate, timeZone: string): Span[] {
  const day = DAYS[date.dayOfWeek - 1]
  return hours
    .filter(({ days }) => days.some(name => name === day))
    .map(window => ({
      from: instantOf(date, window.from, timeZone),
      until: instantOf(passesMidnight(window) ? date.add({ days: 1 }) : date, window.to, timeZone),
    }))
}

/**
 * The first instant at which a clock on the wall shows that time or, where the clocks are set forward past it, a later one.
 * An hour that comes twice opens or closes the first time, so that no opening is torn in two.
 */
function instantOf(date: Temporal.PlainDate, time: string, timeZone: string): number {
  const [day, wall] = time === '24:00' ? [date.add({ days: 1 }), '00:00'] : ([date, time] as const)
  const plain = day.toPlainDateTime(wall)
  const found = plain.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  const isShown = found.toPlainDateTime().equals(plain)
  const instant = isShown ? found : (found.getTimeZoneTransition('next') ?? found)
  return instant.toInstant().epochMilliseconds
}

/** In their order; what touches is one. */
function joined(spans: readonly Span[]): Span[] {
  const all: Span[] = []
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = all.at(-1)
    if (span.from >= span.until) continue
    if (last === undefined || span.from > last.until) all.push(span)
    else all.splice(-1, 1, { from: last.from, until: Math.max(last.until, span.until) })
  }
  return all
}

function zoned(now: number, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timeZone)
}

/** The first instant of the next civil day, in epoch milliseconds (a day may last 23 or 25 hours). */
export function endOfDay(now: number, timeZone: string): number {
  return zoned(now, timeZone).startOfDay().add({ days: 1 }).toInstant().epochMilliseconds
}

/** The first instant after a civil date, in epoch milliseconds. */
export function endOfDate(date: string, timeZone: string): number {
  const next = Temporal.PlainDate.from(date).add({ days: 1 })
  return next.toZonedDateTime(timeZone).toInstant().epochMilliseconds
}

/** The civil date as `YYYY-MM-DD`. */
export function civilDate(now: number, timeZone: string): string {
  return zoned(now, timeZone).toPlainDate().toString()
}

export function isTimeZone(name: string): boolean {
  try {
    zoned(0, name)
    // Temporal also takes a whole date for the zone that is in it; the pages write times with Intl, which throws then.
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== ''
  } catch {
    return false
  }
}
