/** The index of all lists, read into memory and checked; answers which categories a host is in, through an LRU. */
import { LRUCache } from 'lru-cache'
import type { CategoryId, CategoryLookup, CategorySet, PageLookup } from '../../policy/category.ts'
import type { Host } from '../../policy/host.ts'
import { hostKey, visitKeys } from './host-key.ts'
import type { Tag, TagKind } from './index-format.ts'
import { readTable, type IndexTable } from './index-table.ts'
import { visitPageKeys, withoutWww } from './page-key.ts'

export interface CategoryIndex {
  readonly lookup: CategoryLookup
  /** The categories of listed pages only; costs next to nothing for a host that has none. */
  readonly pages: PageLookup
  /** The categories in which some page of the host is listed. */
  readonly hints: CategoryLookup
  /** What which lists say of the host and its parents, and of the page when a path is given. */
  readonly tagsOf: (host: Host, path?: string) => readonly Tag[]
  readonly categories: readonly CategoryId[]
  /** Hosts and pages in the index. */
  readonly hosts: number
  readonly pageCount: number
  /** Size of the file, and nearly all of the memory that the index takes. */
  readonly bytes: number
}

export interface OpenOptions {
  /** Hosts whose answer is kept; 0: no cache. */
  readonly cacheEntries: number
}

const EMPTY: CategorySet = Object.freeze([])
/** Sets of hosts listed at several levels that are kept ready; others are made anew. */
const MAX_UNIONS = 4_096

/** Reads an index file. Throws PREAU_INDEX_DAMAGED when it is missing, cut short, changed, or of another format. */
export async function openCategoryIndex(
  file: string,
  { cacheEntries }: OpenOptions,
): Promise<CategoryIndex> {
  const table = await readTable(file)
  const find = createFinder(table)
  const { tags, hosts, pages } = table.header
  return {
    lookup: cacheEntries === 0 ? find : cached(find, cacheEntries),
    ...createPageFinder(table),
    tagsOf: createTagFinder(table),
    categories: [...new Set(tags.map(({ category }) => category))].sort(),
    hosts,
    pageCount: pages,
    bytes: table.bytes,
  }
}

function cached(find: CategoryLookup, max: number): CategoryLookup {
  const cache = new LRUCache<Host, CategorySet>({ max })
  return host => {
    let set = cache.get(host)
    if (set === undefined) {
      set = find(host)
      cache.set(host, set)
    }
    return set
  }
}

/** The categories that each set names by tags of one kind. */
function categoriesOf({ header }: IndexTable, kind: TagKind): CategorySet[] {
  return header.sets.map(set => {
    const named = set.flatMap(at => {
      const tag = header.tags[at]
      return tag?.kind === kind ? [tag.category] : []
    })
    return named.length === 0 ? EMPTY : Object.freeze([...new Set(named)].sort())
  })
}

/** Joins two sorted sets; the same two give the same frozen answer. */
function createUnion(): (a: CategorySet, b: CategorySet) => CategorySet {
  const unions = new LRUCache<string, CategorySet>({ max: MAX_UNIONS })
  return (a, b) => {
    if (a === EMPTY || a === b) return b
    if (b === EMPTY) return a
    const ids = [...new Set([...a, ...b])].sort()
    const name = ids.join()
    const known = unions.get(name)
    if (known !== undefined) return known
    const set = Object.freeze(ids)
    unions.set(name, set)
    return set
  }
}

function createFinder(table: IndexTable): CategoryLookup {
  const sets = categoriesOf(table, 'host')
  const unite = createUnion()
  let found = EMPTY
  const visit = (high: number, low: number): void => {
    const set = table.find(high, low)
    if (set !== 0) found = unite(found, sets[set] ?? EMPTY)
  }
  return host => {
    found = EMPTY
    visitKeys(host, visit)
    return found
  }
}

function createPageFinder(table: IndexTable): Pick<CategoryIndex, 'pages' | 'hints'> {
  const hintsBySet = categoriesOf(table, 'page-host')
  const pagesBySet = categoriesOf(table, 'page')
  const unite = createUnion()
  const hints: CategoryLookup = host => {
    const { high, low } = hostKey(withoutWww(host))
    return hintsBySet[table.find(high, low)] ?? EMPTY
  }
  if (table.header.pages === 0) return { pages: () => EMPTY, hints: () => EMPTY }
  let found = EMPTY
  const visit = (high: number, low: number): void => {
    const set = table.find(high, low)
    if (set !== 0) found = unite(found, pagesBySet[set] ?? EMPTY)
  }
  const pages: PageLookup = (host, path) => {
    if (path === undefined || hints(host) === EMPTY) return EMPTY
    found = EMPTY
    visitPageKeys(host, path, visit)
    return found
  }
  return { pages, hints }
}

function createTagFinder(table: IndexTable): CategoryIndex['tagsOf'] {
  const { tags, sets } = table.header
  return (host, path) => {
    const found = new Set<number>()
    const take = (kind: TagKind) => (high: number, low: number) => {
      for (const at of sets[table.find(high, low)] ?? []) if (tags[at]?.kind === kind) found.add(at)
    }
    visitKeys(host, take('host'))
    const { high, low } = hostKey(withoutWww(host))
    take('page-host')(high, low)
    if (path !== undefined) visitPageKeys(host, path, take('page'))
    return [...found].flatMap(at => tags[at] ?? [])
  }
}
