/** What a category is, and how the policy looks one up. The data stands in `categories/`, the index in `src/categories`. */
import type { Host } from './host.ts'

export type CategoryId = string

/**
 * How far people may decide about a category. `never`: no profile, grant or local rule opens it. `blockable` and
 * `warnable`: a profile may block it or warn about it. `informative`: says what a site is, and by default blocks nothing.
 */
export type Severity = 'never' | 'blockable' | 'warnable' | 'informative'

export interface Bilingual {
  readonly fr: string
  readonly en: string
}

export interface Category {
  readonly id: CategoryId
  readonly severity: Severity
  readonly label: Bilingual
  /** One sentence that a pupil can read on the block page. */
  readonly description: Bilingual
  /** Its lists name whole services on purpose, under whose names anybody has sites: `duckdns.org`, `blogspot.com`. */
  readonly namesServices?: boolean
}

/** All categories by id. */
export type Catalogue = ReadonlyMap<CategoryId, Category>

/** All the categories of a host and of its parent domains, sorted, frozen; empty when it is in no list. */
export type CategorySet = readonly CategoryId[]

export type CategoryLookup = (host: Host) => CategorySet

/**
 * The categories of a page of a host (path and query as they stand in the request), beyond those of the host; the path is
 * undefined where it is hidden (CONNECT). Empty for nearly every host.
 */
export type PageLookup = (host: Host, path: string | undefined) => CategorySet
