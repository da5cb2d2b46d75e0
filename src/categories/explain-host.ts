/** Which line of which list says what a host or page is: for `preau check`, the admin app, and whoever doubts a verdict. */
import { basename } from 'node:path'
import type { CategoryId } from '../policy/category.ts'
import { isAddress, suffixes, type Host } from '../policy/host.ts'
import type { ListInfo, ListsVersion } from '../policy/lists.ts'
import { normalPath } from '../policy/page-path.ts'
import { arrivalOf } from './arrivals.ts'
import { addressOf } from './expressions.ts'
import { findLines, type FoundLine } from './find-lines.ts'
import { openCategoryIndex, type CategoryIndex } from './index/category-index.ts'
import type { Tag } from './index/index-format.ts'
import { pageKey, visitPageKeys } from './index/page-key.ts'
import { filesOf, indexFile } from './list-folder.ts'
import { readByteLines } from './reading/byte-lines.ts'
import { readExpressions } from './reading/expression-line.ts'
import type { ListFile } from './reading/index-lists.ts'
import { parseListLine } from './reading/list-line.ts'
import { parseUrlLine } from './reading/url-line.ts'

export interface ListMatch {
  readonly category: CategoryId
  /** The name of the list. */
  readonly list: string
  /** `urls`: only some page of the host is listed. */
  readonly kind: ListFile['kind']
  /** False for an expression of a category for which the policy does not turn them on: it decides nothing. */
  readonly acts: boolean
  /** Path of the kept file, and its last part. */
  readonly file: string
  readonly fileName: string
  /** From 1. */
  readonly line: number
  /** The line as it stands. */
  readonly text: string
  /** The listed domain: the host itself or a parent of it; the host for an expression. */
  readonly domain: Host
  /** Where the list came from, when it was read, and when this entry came into it. Epoch ms. */
  readonly source: string
  readonly importedAt: number
  /** The date that the list bears itself, where it does. */
  readonly contentAt?: number
  readonly since: number
}

/** The lists that decide, open. */
export interface ListsInForce {
  readonly version: ListsVersion
  readonly index: Pick<CategoryIndex, 'tagsOf'>
  readonly expressions: readonly CategoryId[]
}

export interface ExplainQuestion extends Partial<ListsInForce> {
  readonly dataDir: string
  readonly version: ListsVersion
  readonly host: Host
  /** Path and query, where they are known: the pages that cover it are told too. */
  readonly path?: string
}

const MAX_MATCHES = 100

/**
 * Looks up in the index which lists know the host, then searches their kept files, and runs all expressions, whether the
 * policy turns them on or not. Throws PREAU_FILE_UNREADABLE or PREAU_INDEX_DAMAGED. At most 100 matches.
 */
export async function explainHost(question: ExplainQuestion): Promise<ListMatch[]> {
  const { dataDir, version, host, path, expressions = [] } = question
  const file = indexFile(dataDir, version)
  const index = question.index ?? (await openCategoryIndex(file, { cacheEntries: 0 }))
  const tags = index.tagsOf(host, path)
  const matches: ListMatch[] = []
  for (const list of version.lists) {
    for (const kept of await filesOf(dataDir, list)) {
      const found = isNamed(tags, list.name, kept) ? await linesOf(kept, host, path) : []
      const acts = kept.kind !== 'expressions' || expressions.includes(kept.category)
      for (const { domain, number, text } of found.slice(0, MAX_MATCHES - matches.length))
        matches.push({ ...describe(list, kept, { line: number, text: text.trim(), domain }), acts })
    }
  }
  return withArrivals(dataDir, version, matches)
}

function isNamed(tags: readonly Tag[], name: string, { category, kind }: ListFile): boolean {
  // Expressions are in no index.
  if (kind === 'expressions') return true
  const wanted = kind === 'domains' ? 'host' : 'page'
  return tags.some(tag => tag.list === name && tag.category === category && tag.kind === wanted)
}

function describe(
  { name, source, importedAt, contentAt, firstImportedAt, since }: ListInfo,
  { category, kind, file }: ListFile,
  found: Pick<ListMatch, 'line' | 'text' | 'domain'>,
): Omit<ListMatch, 'acts'> {
  const dates = { importedAt, ...(contentAt === undefined ? {} : { contentAt }) }
  const origin = { source, ...dates, since: since[category] ?? firstImportedAt }
  return { category, list: name, kind, file, fileName: basename(file), ...found, ...origin }
}

interface Found extends FoundLine {
  readonly domain: Host
}

async function linesOf(
  { kind, file }: ListFile,
  host: Host,
  path: string | undefined,
): Promise<Found[]> {
  if (kind === 'expressions') return expressionsOf(file, host, path)
  const filter = kind === 'domains' ? domainFilter(host) : pageFilter(host, path ?? '/')
  const found: Found[] = []
  const take = (line: FoundLine): boolean => {
    const domain = filter(line.text)
    if (domain !== undefined) found.push({ ...line, domain })
    return found.length < MAX_MATCHES
  }
  await findLines(file, wordOf(host), take)
  // The index says that a line is there: written in capitals or in Unicode, it is found by reading them all.
  if (found.length === 0) await eachLine(file, take)
  return found
}

/** What nearly every line about the host or a parent of it ends with. */
function wordOf(host: Host): string {
  return isAddress(host) ? host : host.split('.').slice(-2).join('.')
}

async function eachLine(file: string, take: (line: FoundLine) => boolean): Promise<void> {
  await readByteLines(file, (bytes, start, end, number, isTooLong) => {
    if (!isTooLong) take({ number, text: bytes.toString('utf8', start, end) })
  })
}

async function expressionsOf(file: string, host: Host, path: string | undefined): Promise<Found[]> {
  const addresses = [path, path === undefined ? undefined : normalPath(path)].map(form =>
    addressOf(host, form),
  )
  const found: Found[] = []
  await readExpressions(file, ({ matches, text, line }) => {
    if (addresses.some(matches)) found.push({ domain: host, number: line, text })
  })
  return found
}

type Filter = (text: string) => Host | undefined

function domainFilter(host: Host): Filter {
  const names = new Set<Host>(suffixes(host))
  return text => {
    const parsed = parseListLine(text)
    return parsed.kind === 'hosts' ? parsed.hosts.find(name => names.has(name)) : undefined
  }
}

function pageFilter(host: Host, path: string): Filter {
  const keys = new Set<string>()
  visitPageKeys(host, path, (high, low) => keys.add(`${high}:${low}`))
  return text => {
    const parsed = parseUrlLine(text)
    if (parsed.kind !== 'page') return undefined
    const { high, low } = pageKey(parsed.host, parsed.path)
    return keys.has(`${high}:${low}`) ? parsed.host : undefined
  }
}

async function withArrivals(
  dataDir: string,
  version: ListsVersion,
  matches: readonly ListMatch[],
): Promise<ListMatch[]> {
  return Promise.all(
    matches.map(async match => {
      const folder = version.lists.find(({ name }) => name === match.list)?.folder
      if (typeof folder !== 'string' || match.kind !== 'domains') return match
      const { category, domain } = match
      const arrived = await arrivalOf({ dataDir, folder, category, domain })
      return arrived === undefined ? match : { ...match, since: arrived }
    }),
  )
}
