/** A source of a list, and how its last fetch went. */
import type { CategoryId } from './category.ts'
import type { Credentials } from './credentials.ts'

export const SOURCE_FORMATS = ['auto', 'archive', 'lines'] as const
/** `archive`: a UT1 tar.gz; `lines`: domains, hosts file or `||domain^`; `auto`: as its first bytes say. */
export type SourceFormat = (typeof SOURCE_FORMATS)[number]

/** What a list may be called. `preau` is taken by the starter lists. */
export const LIST_NAME = /^(?!preau$)[a-z0-9][a-z0-9._-]{0,39}$/

/** An http or https URL without user information. */
export function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && username === '' && password === ''
}

/** The name is that of the list it fills. */
export interface ListSource {
  readonly name: string
  /** http or https. */
  readonly url: string
  readonly format: SourceFormat
  /** null: as the archive says. */
  readonly category: CategoryId | null
  readonly enabled: boolean
}

/** The longest address of a source. */
export const MAX_SOURCE_URL = 2_000

/** A source with what its server asks for: for who fetches it, and for nobody who shows it. */
export interface SourceWithCredentials extends ListSource {
  readonly credentials?: Credentials
}

/** As the store keeps it; sources of the configuration are not stored. */
export interface StoredSource extends SourceWithCredentials {
  readonly by: string
  readonly at: number
}

/** How fetching goes. Times are epoch ms. */
export interface FetchStatus {
  /** The source answered, with something new or not. */
  readonly checkedAt?: number
  /** What it answered was last read, or waits as a candidate. */
  readonly changedAt?: number
  /** Validators of that answer (RFC 9110 §8.8), for the next conditional request. */
  readonly etag?: string
  readonly lastModified?: string
  /** The URL that the validators belong to: where the redirects ended. */
  readonly url?: string
  /** What the source was then (`sourceKey`): once somebody has changed it, the validators say nothing any more. */
  readonly source?: string
  /** When the schedule asks next. */
  readonly nextAt: number
  /** Absent after a success. */
  readonly failure?: FetchFailure
  /** Whether the source publishes a checksum beside what came last, which then was right; absent where none is expected. */
  readonly checksum?: 'right' | 'absent'
  /** Who is asking the source now; see `liveClaim`. */
  readonly claim?: FetchClaim
}

/** A process that asks a source: whoever finds it alive leaves the source alone. */
export interface FetchClaim {
  readonly id: string
  readonly machine: string
  readonly pid: number
  /** Since when, and until when unless it is renewed. */
  readonly at: number
  readonly until: number
}

/** A claim that would last longer was made by a clock that was ahead: whoever died with it is not waited for until then. */
const LONGEST_CLAIM_MS = 3_600_000

/** The claim that counts at an instant. */
export function liveClaim(status: FetchStatus | undefined, now: number): FetchClaim | undefined {
  const claim = status?.claim
  const leftMs = (claim?.until ?? now) - now
  return leftMs > 0 && leftMs <= LONGEST_CLAIM_MS ? claim : undefined
}

export interface FetchFailure {
  /** The first failure since the last success, and the last one. */
  readonly since: number
  readonly at: number
  readonly times: number
  /** An error code of `errors.ts` and its parameters. */
  readonly code: string
  readonly params: Readonly<Record<string, string | number | { fr: string; en: string }>>
}

/** Changes with all that decides what a fetch brings. */
export function sourceKey({ url, format, category }: ListSource): string {
  return `${format} ${category ?? '-'} ${url}`
}

/** A source as it counts: one of the configuration wins over one of the same name in the store. */
export interface KnownSource extends ListSource {
  /** It stands in the configuration: the admin app shows it and cannot change it. */
  readonly isFromConfig: boolean
  /** Its credentials themselves are nowhere to be seen. */
  readonly hasCredentials: boolean
}

// UT1 was fetched in the clear: whoever sits on the path could add a site to a category that nobody may open.
const MOVED: Readonly<Record<string, string>> = {
  'http://dsi.ut-capitole.fr/blacklists/download/blacklists.tar.gz':
    'https://dsi.ut-capitole.fr/blacklists/download/blacklists.tar.gz',
}

function knownSource(
  { name, url, format, category, enabled, credentials }: SourceWithCredentials,
  isFromConfig: boolean,
): KnownSource {
  const fields = { name, url: MOVED[url] ?? url, format, category, enabled }
  return { ...fields, isFromConfig, hasCredentials: credentials !== undefined }
}

/** All sources by name, sorted. */
export function mergeSources(
  fromConfig: readonly SourceWithCredentials[],
  stored: readonly SourceWithCredentials[],
): KnownSource[] {
  const all = new Map<string, KnownSource>()
  for (const source of stored) all.set(source.name, knownSource(source, false))
  for (const source of fromConfig) all.set(source.name, knownSource(source, true))
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Sources that people know by name: `preau lists source add ut1`, and one button in the admin app. */
export const KNOWN_SOURCES: readonly ListSource[] = [
  {
    name: 'ut1',
    url: 'https://dsi.ut-capitole.fr/blacklists/download/blacklists.tar.gz',
    format: 'archive',
    category: null,
    enabled: true,
  },
]
