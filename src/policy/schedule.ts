/** Civil time in the city's time zone: opening hours, the end of a day. The clock is always an argument. */
import { z } from 'zod'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const clock = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, '"HH:MM"')

/** When the Internet is open. `to` is exclusive; `24:00` ends a day. */
export const hoursSchema = z.array(
  z
    .strictObject({ days: z.array(z.enum(DAYS)).min(1), from: clock, to: clock })
    .refine(window => window.from < window.to, '"from" < "to"'),
)
export type Hours = z.infer<typeof hoursSchema>

const MINUTE_MS = 60_000

/** Compiles opening hours to a question of the instant. The answer of the last minute is kept: civil time is slow to compute. */
export function compileHours(hours: Hours, timeZone: string): (now: number) => boolean {
  let askedMinute = Number.NaN
  let answer = false
  return now => {
    const minute = Math.floor(now / MINUTE_MS)
    if (minute !== askedMinute) {
      askedMinute = minute
      answer = isOpen(hours, zoned(now, timeZone))
    }
    return answer
  }
}

function isOpen(hours: Hours, at: Temporal.ZonedDateTime): boolean {
  const day = DAYS[at.dayOfWeek - 1]
  const time = at.toPlainTime().toString({ smallestUnit: 'minute' })
  return hours.some(({ days, from, to }) => days.some(d => d === day) && from <= time && time < to)
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
