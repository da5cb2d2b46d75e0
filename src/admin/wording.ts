/** Facts as people say them: how long ago, until when, for whom. One wording is made per page. */
import { LANGUAGE_TAG, type Locale } from '../i18n.ts'
import type { Grant, Scope } from '../policy/grant.ts'
import { UNKNOWN_SITE, type SiteId } from '../policy/network.ts'
import { civilDate, endOfDay } from '../policy/schedule.ts'
import { adminTexts, type AdminTranslate } from './texts.ts'

/** An instant four ways: for machines, for a glance, as a date, and exactly. */
export interface Moment {
  readonly iso: string
  readonly ago: string
  readonly date: string
  readonly exact: string
}

export interface Wording {
  readonly t: AdminTranslate
  readonly locale: Locale
  readonly now: number
  readonly timeZone: string
  moment(at: number): Moment
  until(until: Grant['until']): string
  /** As a place: « Salle 1, École Jean-Moulin ». */
  scope(scope: Scope): string
  /** Inside a sentence: « pour toute l’école Jean-Moulin ». */
  scopeWords(scope: Scope): string
  siteName(site: SiteId): string
  /** « 3 postes »: the texts `<key>.1` and `<key>.n`. */
  count(key: CountKey, count: number): string
  number(value: number): string
  by(name: string): string
}

type CountKey =
  | 'pending.pcs'
  | 'pending.clicks'
  | 'grants.acknowledged'
  | 'policy.rooms'
  | 'pending.count'
  | 'grants.count'
  | 'local.count'

export interface WordingParts {
  readonly locale: Locale
  readonly timeZone: string
  readonly now: number
  readonly siteNames: ReadonlyMap<SiteId, string>
}

export function createWording({ locale, timeZone, now, siteNames }: WordingParts): Wording {
  const t = adminTexts(locale)
  const clock = createClock(locale, timeZone, now)
  const siteName = (site: SiteId): string =>
    site === UNKNOWN_SITE ? t('pending.unknownSite') : (siteNames.get(site) ?? site)
  return {
    t,
    locale,
    now,
    timeZone,
    moment: clock.moment,
    until(until) {
      if (until === null) return t('until.forever')
      if (until === endOfDay(now, timeZone)) return t('until.midnight')
      const isToday = civilDate(until, timeZone) === civilDate(now, timeZone)
      return isToday
        ? t('until.today', { time: clock.time(until) })
        : t('until.later', { date: clock.date(until) })
    },
    scope: scope => sayScope('scope', scope, t, siteName),
    scopeWords: scope => sayScope('scopeWords', scope, t, siteName),
    siteName,
    count: (key, count) => t(`${key}.${count === 1 ? '1' : 'n'}`, { count: clock.number(count) }),
    number: clock.number,
    by: name => sayWho(name, t),
  }
}

function sayScope(
  area: 'scope' | 'scopeWords',
  scope: Scope,
  t: AdminTranslate,
  siteName: (site: SiteId) => string,
): string {
  switch (scope.kind) {
    case 'pc':
      return t(`${area}.pc`, { ip: scope.ip })
    case 'room':
      return t(`${area}.room`, { room: scope.room, site: siteName(scope.site) })
    case 'site':
      return saySchool(t(`${area}.site`, { site: siteName(scope.site) }))
    case 'city':
      return t(`${area}.city`)
    default:
      return scope satisfies never
  }
}

/** « Toute l’école École Jean-Moulin » stutters: the name of a school often starts with what it is. */
function saySchool(text: string): string {
  return text
    .replace(/([Tt])oute l’école École /, '$1oute l’école ')
    .replace(
      /([Tt])oute l’école (Collège|Lycée|Groupe scolaire) /,
      (_, first: string, kind: string) =>
        kind === 'Groupe scolaire'
          ? `${first}out le groupe scolaire `
          : `${first}out le ${kind.toLowerCase()} `,
    )
}

function sayWho(name: string, t: AdminTranslate): string {
  if (name === 'system') return t('by.system')
  if (name === 'cli') return t('by.cli')
  return name.startsWith('pc:') ? t('by.pc', { ip: name.slice(3) }) : name
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

function createClock(locale: Locale, timeZone: string, now: number) {
  const tag = LANGUAGE_TAG[locale]
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(tag, { timeZone, ...options })
  const exact = format({ dateStyle: 'full', timeStyle: 'medium' })
  const time = format({ hour: '2-digit', minute: '2-digit' })
  const date = format({ day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' })
  const relative = new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' })
  const numbers = new Intl.NumberFormat(tag)
  const ago = (at: number): string => {
    const [unit, size] = UNITS.find(([, ms]) => now - at >= ms) ?? (['second', 1_000] as const)
    // Seconds jump too fast to be read: less than a minute is « maintenant ».
    return relative.format(unit === 'second' ? 0 : -Math.floor((now - at) / size), unit)
  }
  return {
    moment: (at: number): Moment => ({
      iso: new Date(at).toISOString(),
      ago: ago(at),
      date: date.format(at),
      exact: exact.format(at),
    }),
    time: (at: number) => time.format(at),
    date: (at: number) => date.format(at),
    number: (value: number) => numbers.format(value),
  }
}
