/** The sources as a page shows them: what each fetches, how it went, and when it is fetched next. */
import { LANGUAGE_TAG } from '../i18n.ts'
import type { ListsConfig } from '../config.ts'
import type { Catalogue } from '../policy/category.ts'
import {
  KNOWN_SOURCES,
  liveClaim,
  type FetchStatus,
  type KnownSource,
} from '../policy/list-source.ts'
import type { ListState } from './list-state.ts'
import { categoryLabel, listLabel, sayFailure } from './list-wording.ts'
import type { Moment, Wording } from './wording.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export interface SourceRow {
  readonly name: string
  readonly label: string
  readonly url: string
  readonly format: string
  readonly category: string
  readonly isEnabled: boolean
  readonly isFromConfig: boolean
  readonly hasCredentials: boolean
  /** What is known of the published checksum of what came last; empty where none is expected. */
  readonly checksum: string
  /** Of the record in the store; undefined for a source of the configuration. */
  readonly version: number | undefined
  /** As the form to change it starts from. */
  readonly fields: { readonly format: string; readonly category: string }
  readonly checkedAt: Moment | undefined
  readonly changedAt: Moment | undefined
  readonly nextAt: Moment | undefined
  /** Another process or machine asks it now. */
  readonly elsewhere: { readonly machine: string; readonly since: Moment } | undefined
  readonly failure:
    | { readonly text: string; readonly times: string; readonly since: Moment; readonly at: Moment }
    | undefined
}

export function viewSources(
  { sources, stored, statuses }: ListState,
  catalogue: Catalogue,
  words: Wording,
  ownWork: string | undefined,
): SourceRow[] {
  const { t } = words
  return sources.map(source => ({
    name: source.name,
    label: listLabel(source.name, words),
    url: source.url,
    format: t(`format.${source.format}`),
    category:
      source.category === null
        ? t('sources.asArchive')
        : categoryLabel(source.category, catalogue, words),
    isEnabled: source.enabled,
    isFromConfig: source.isFromConfig,
    hasCredentials: source.hasCredentials,
    checksum: sayChecksum(statuses.get(source.name)?.checksum, words),
    version: source.isFromConfig ? undefined : stored.get(source.name)?.version,
    fields: { format: source.format, category: source.category ?? '' },
    ...viewStatus(source, statuses.get(source.name), words),
    elsewhere: source.name === ownWork ? undefined : viewClaim(statuses.get(source.name), words),
  }))
}

function sayChecksum(checksum: FetchStatus['checksum'], { t }: Wording): string {
  return checksum === undefined ? '' : t(`sources.checksum.${checksum}`)
}

function viewStatus(source: KnownSource, status: FetchStatus | undefined, words: Wording) {
  const { checkedAt, changedAt, nextAt, failure } = status ?? {}
  const moment = (at: number | undefined) => (at === undefined ? undefined : words.moment(at))
  return {
    checkedAt: moment(checkedAt),
    changedAt: moment(changedAt),
    nextAt: source.enabled ? moment(nextAt) : undefined,
    failure: failure && {
      text: sayFailure(failure, words),
      times: words.number(failure.times),
      since: words.moment(failure.since),
      at: words.moment(failure.at),
    },
  }
}

function viewClaim(status: FetchStatus | undefined, words: Wording): SourceRow['elsewhere'] {
  const claim = liveClaim(status, words.now)
  return claim && { machine: claim.machine, since: words.moment(claim.at) }
}

/** Known sources that the city has not: one click adds them. */
export function viewOffers({ sources }: ListState, words: Wording) {
  const names = new Set(sources.map(({ name }) => name))
  return KNOWN_SOURCES.filter(({ name }) => !names.has(name)).map(({ name, url }) => ({
    name,
    url,
    label: listLabel(name, words),
  }))
}

/** « entre 22:00 et 07:00 »: when sources are fetched, in the city's own time. */
export function sayNight(
  { fetchFromHourUtc, fetchToHourUtc }: ListsConfig,
  words: Wording,
): string {
  const midnight = words.now - (words.now % DAY_MS)
  const time = new Intl.DateTimeFormat(LANGUAGE_TAG[words.locale], {
    timeZone: words.timeZone,
    hour: '2-digit',
    minute: '2-digit',
  })
  return words.t('sources.night', {
    from: time.format(midnight + fetchFromHourUtc * HOUR_MS),
    to: time.format(midnight + fetchToHourUtc * HOUR_MS),
  })
}

/** The university of Toulouse asks not to be called from 8 h to 19 h GMT. */
export function isQuietHour(url: string, now: number): boolean {
  const host = URL.parse(url)?.hostname ?? ''
  const hour = new Date(now).getUTCHours()
  return /(?:^|\.)ut-capitole\.fr$/.test(host) && hour >= 8 && hour < 19
}
