/** Opening hours as people say them, on the block page, in the panel and on the terminal. */
import en from '../views/locales/hours.en.json' with { type: 'json' }
import fr from '../views/locales/hours.fr.json' with { type: 'json' }
import { createTexts, LANGUAGE_TAG, type Locale } from './i18n.ts'
import { civilDate, DAYS, passesMidnight, type Hours } from './policy/schedule.ts'

const hoursTexts = createTexts<keyof typeof fr>({ fr, en })
const DAY_MS = 86_400_000
const MONDAY = Date.UTC(2024, 0, 1)
/** From so many days in a row on the first and the last are named, and not each of them. */
const MIN_RANGE = 3

/** One text a window: « du dimanche au jeudi de 21:00 à 06:00 le lendemain ». */
export function sayHours(hours: Hours, locale: Locale): string[] {
  const t = hoursTexts(locale)
  return hours.map(window => {
    const days = sayDays(window.days, locale)
    const to = ['24:00', '00:00'].includes(window.to) ? t('hours.midnight') : window.to
    const isNight = passesMidnight(window) && window.to !== '00:00'
    return t(isNight ? 'hours.night' : 'hours.window', { days, from: window.from, to })
  })
}

function sayDays(named: readonly (typeof DAYS)[number][], locale: Locale): string {
  const t = hoursTexts(locale)
  const days = DAYS.flatMap((day, at) => (named.includes(day) ? [at] : []))
  if (days.length === DAYS.length) return t('hours.every')
  const nameOf = (day: number): string => weekday(MONDAY + day * DAY_MS, 'UTC', locale)
  // A week is a circle: nights of a boarding school go from Sunday to Thursday.
  const follows = (day: number): boolean => days.includes((day + 6) % 7)
  const starts = days.filter(day => !follows(day))
  const [first = 0] = starts
  const last = (first + days.length - 1) % 7
  if (starts.length === 1 && days.length >= MIN_RANGE)
    return t('hours.range', { first: nameOf(first), last: nameOf(last) })
  const names = new Intl.ListFormat(LANGUAGE_TAG[locale]).format(days.map(nameOf))
  return t(days.length === 1 ? 'hours.day' : 'hours.days', { names })
}

/** « demain à 08:00 », for an instant within the next week; a later one has its date. All are epoch ms. */
export function sayMoment(at: number, now: number, timeZone: string, locale: Locale): string {
  const t = hoursTexts(locale)
  const time = format({ hour: '2-digit', minute: '2-digit' }, timeZone, locale).format(at)
  const days = Math.round((dayOf(at, timeZone) - dayOf(now, timeZone)) / DAY_MS)
  if (days === 0) return t('when.today', { time })
  const day = weekday(at, timeZone, locale)
  // With the name of the day: a page may stay open past midnight.
  if (days === 1) return t('when.tomorrow', { day, time })
  if (days < 7) return t('when.weekday', { day, time })
  const date = format({ day: 'numeric', month: 'long' }, timeZone, locale).format(at)
  return t('when.date', { date, time })
}

const dayOf = (at: number, timeZone: string): number => Date.parse(civilDate(at, timeZone))

const weekday = (at: number, timeZone: string, locale: Locale): string =>
  format({ weekday: 'long' }, timeZone, locale).format(at)

// As many as there are languages and time zones of the policy: nothing that a client could grow.
const formats = new Map<string, Intl.DateTimeFormat>()

/** Making a format costs fifty times using it. */
function format(
  parts: Intl.DateTimeFormatOptions,
  timeZone: string,
  locale: Locale,
): Intl.DateTimeFormat {
  const key = JSON.stringify([parts, timeZone, locale])
  let made = formats.get(key)
  if (made === undefined) {
    made = new Intl.DateTimeFormat(LANGUAGE_TAG[locale], { timeZone, ...parts })
    formats.set(key, made)
  }
  return made
}
