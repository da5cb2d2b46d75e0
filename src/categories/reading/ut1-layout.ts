/**
 * The layout of the UT1 lists: `[blacklists/]<category>/{domains,urls,expressions,usage}`. Says what each entry is, and
 * which names no honest archive holds.
 */
import { posix } from 'node:path'

export type Place =
  | {
      readonly kind: 'domains' | 'urls' | 'expressions'
      readonly folder: string
      readonly category: string
    }
  | { readonly kind: 'usage'; readonly folder: string; readonly category: string }
  | { readonly kind: 'global-usage' }
  | { readonly kind: 'ignored'; readonly what: IgnoredKind }

export type ListPlace = Extract<Place, { kind: 'domains' | 'urls' | 'expressions' }>

export const isList = (place: Place): place is ListPlace =>
  place.kind === 'domains' || place.kind === 'urls' || place.kind === 'expressions'

/** What an archive may hold that is never read. UT1's `very_restrictive_expression` would close half of the web. */
const IGNORED_KINDS = ['very_restrictive_expression', 'other'] as const
export type IgnoredKind = (typeof IGNORED_KINDS)[number]

/** The entry's path without `./` and trailing slash; undefined when it is absolute, climbs, or is no plain path. */
export function safePath(name: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters in a name are what is refused
  if (name === '' || name.length > 1_000 || /^\/|\\|[\x00-\x1f]/.test(name)) return undefined
  const parts = name.split('/').filter(part => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}

/** Where a symbolic link of the tree leads, as a path of the tree; undefined when it leaves it. */
export function linkTarget(path: string, link: string): string | undefined {
  if (link === '' || link.startsWith('/') || link.includes('\\')) return undefined
  const target = posix.normalize(posix.join(posix.dirname(path), link))
  return target === '..' || target.startsWith('../') ? undefined : target.replace(/\/$/, '')
}

/** The GitHub mirror of UT1 cuts the longest file: `adult/domains.0`, `domains.1` ... */
const DOMAINS = /^domains(?:\.\d{1,3})?$/

const LISTS = ['urls', 'expressions'] as const

/** Parts of a path: the folder of the whole list, categories within categories, the file. */
export const MAX_DEPTH = 5

/** What a file is, by its safe path. A category within another has the name `recreation/sports`, as Shalla's lists have it. */
export function placeFile(path: string): Place {
  const parts = path.split('/')
  const name = parts.at(-1) ?? ''
  if (name === 'global_usage' && parts.length <= 2) return { kind: 'global-usage' }
  if (parts.length < 2 || parts.length > MAX_DEPTH) return { kind: 'ignored', what: 'other' }
  const category = parts.slice(parts.length > 3 ? 1 : -2, -1).join('/')
  const folder = parts.slice(0, -1).join('/')
  if (name === 'usage') return { kind: 'usage', folder, category }
  const kind = DOMAINS.test(name) ? 'domains' : LISTS.find(list => list === name)
  if (kind !== undefined) return { kind, folder, category }
  const what = IGNORED_KINDS.find(ignored => ignored === name) ?? 'other'
  return { kind: 'ignored', what }
}
