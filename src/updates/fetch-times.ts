/** When sources are asked: at night, each at a moment of its own, so that not every city asks at once. */
import { createHash } from 'node:crypto'
import type { ListsConfig } from '../config.ts'

export interface Night {
  /** Hours in UTC; when they are equal, the whole day. It may cross midnight. */
  readonly fetchFromHourUtc: ListsConfig['fetchFromHourUtc']
  readonly fetchToHourUtc: ListsConfig['fetchToHourUtc']
}

/** What makes the moment of a source differ from that of the same source in another city. */
export interface Moment extends Night {
  readonly source: string
  /** Anything that no other installation has. */
  readonly seed: string
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
// The end of the night is not the moment to begin.
const LAST_MS = 60_000

const lengthOf = ({ fetchFromHourUtc, fetchToHourUtc }: Night): number =>
  ((fetchToHourUtc - fetchFromHourUtc + 24) % 24 || 24) * HOUR_MS

/** When the night that `now` stands in began, or the last one before it. */
function nightStart(night: Night, now: number): number {
  const today = now - (now % DAY_MS) + night.fetchFromHourUtc * HOUR_MS
  return today <= now ? today : today - DAY_MS
}

export const isNight = (night: Night, now: number): boolean =>
  now - nightStart(night, now) < lengthOf(night)

/** The next moment of a source, after `now`: the same every night. */
export function nextFetchAt(moment: Moment, now: number): number {
  const first = nightStart(moment, now) + offsetOf(moment)
  return first > now ? first : first + DAY_MS
}

function offsetOf(moment: Moment): number {
  const digest = createHash('sha256').update(`${moment.seed}\n${moment.source}`).digest()
  return digest.readUIntBE(0, 6) % (lengthOf(moment) - LAST_MS)
}

/** After a failure: 1 h later, then 2 h, 4 h ... while it is night, and the next night at the latest. */
export function retryAt(moment: Moment, times: number, now: number): number {
  const soon = now + HOUR_MS * 2 ** Math.min(times - 1, 10)
  const isSameNight = soon - nightStart(moment, now) < lengthOf(moment)
  const next = nextFetchAt(moment, now)
  return isSameNight && isNight(moment, now) ? soon : next
}

/**
 * When a source is due, given what was planned: at once when that is not later than `now`. What a night has missed waits
 * for its moment of the next one, as does what was planned for hours that are no night any more.
 */
export function dueAt(moment: Moment, planned: number | undefined, now: number): number {
  const begin = nightStart(moment, now)
  const isPlan = planned !== undefined && planned < now + 2 * DAY_MS && isNight(moment, planned)
  if (!isPlan) return nextFetchAt(moment, now)
  if (planned > now) return planned
  if (!isNight(moment, now)) return nextFetchAt(moment, now)
  return planned >= begin ? planned : begin + offsetOf(moment)
}
