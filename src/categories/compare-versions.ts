/** What comes and goes in each category between two versions of the lists: one merge of their two sorted indexes. */
import { setImmediate as breathe } from 'node:timers/promises'
import type { CategoryId } from '../policy/category.ts'
import type { Host } from '../policy/host.ts'
import type { ListsVersion } from '../policy/lists.ts'
import type { CategoryChange } from '../policy/rehearsal.ts'
import { hostKey, keyOfBytes } from './index/host-key.ts'
import type { TagKind } from './index/index-format.ts'
import { readTable, type IndexTable } from './index/index-table.ts'
import { filesOf, indexFile } from './list-folder.ts'
import { readByteLines } from './reading/byte-lines.ts'
import { parseListLine } from './reading/list-line.ts'

export interface Comparison {
  readonly dataDir: string
  readonly before: ListsVersion
  readonly after: ListsVersion
  /** Hosts named per category and direction. */
  readonly maxSamples: number
}

interface Counted {
  before: number
  after: number
  added: number
  removed: number
  readonly pages: { before: number; after: number; added: number; removed: number }
  readonly addedKeys: Key[]
  readonly removedKeys: Key[]
}
interface Key {
  readonly high: number
  readonly low: number
}

/** The categories that change, the biggest change first. Throws PREAU_INDEX_DAMAGED or PREAU_FILE_UNREADABLE. */
export async function compareVersions(comparison: Comparison): Promise<CategoryChange[]> {
  const { dataDir, before, after, maxSamples } = comparison
  const counts = new Map<CategoryId, Counted>()
  await merge(
    await readTable(indexFile(dataDir, before)),
    await readTable(indexFile(dataDir, after)),
    { counts, maxSamples },
  )
  const changesOf = ({ added, removed, pages }: Counted): number =>
    added + removed + pages.added + pages.removed
  const changed = [...counts].filter(([, counted]) => changesOf(counted) > 0)
  const added = changed.map(([category, { addedKeys }]) => [category, addedKeys] as const)
  const removed = changed.map(([category, { removedKeys }]) => [category, removedKeys] as const)
  const addedNames = await nameKeys(dataDir, after, new Map(added))
  const removedNames = await nameKeys(dataDir, before, new Map(removed))
  return changed
    .sort(([, a], [, b]) => changesOf(b) - changesOf(a))
    .map(([category, counted]) => ({
      category,
      before: counted.before,
      after: counted.after,
      added: counted.added,
      removed: counted.removed,
      addedSamples: addedNames.get(category) ?? [],
      removedSamples: removedNames.get(category) ?? [],
      ...(counted.pages.added + counted.pages.removed > 0 ? { pages: counted.pages } : {}),
    }))
}

const NONE: readonly CategoryId[] = []

/** Walks the records of a table in the order of their keys. */
class Cursor {
  high = 0
  low = 0
  #set = 0
  readonly #hosts: readonly (readonly CategoryId[])[]
  readonly #pages: readonly (readonly CategoryId[])[]
  readonly #table: IndexTable
  #bucket = 0
  #at = 0

  constructor(table: IndexTable) {
    this.#table = table
    this.#hosts = categoriesOf(table, 'host')
    this.#pages = categoriesOf(table, 'page')
  }

  /** The categories of the record as a host, and as a page. */
  get hosts(): readonly CategoryId[] {
    return this.#hosts[this.#set] ?? NONE
  }

  get pages(): readonly CategoryId[] {
    return this.#pages[this.#set] ?? NONE
  }

  /** Moves to the next record; false behind the last one. */
  next(): boolean {
    const { records, directory, bucketBits } = this.#table
    if (2 * this.#at >= records.length) return false
    while ((directory[this.#bucket + 1] ?? 0) <= this.#at) this.#bucket++
    const rest = records[2 * this.#at + 1] ?? 0
    const free = 32 - bucketBits
    this.high = ((this.#bucket << free) | ((rest >>> 16) & ((1 << free) - 1))) >>> 0
    this.low = records[2 * this.#at] ?? 0
    this.#set = rest & 0xffff
    this.#at++
    return true
  }
}

const categoriesOf = ({ header: { tags, sets } }: IndexTable, kind: TagKind): CategoryId[][] =>
  sets.map(set => [
    ...new Set(set.flatMap(at => (tags[at]?.kind === kind ? tags[at].category : []))),
  ])

const SLICE = 500_000

interface Gathered {
  readonly counts: Map<CategoryId, Counted>
  readonly maxSamples: number
}

async function merge(before: IndexTable, after: IndexTable, gathered: Gathered): Promise<void> {
  const [old, fresh] = [new Cursor(before), new Cursor(after)]
  let isOld = old.next()
  let isFresh = fresh.next()
  for (let step = 1; isOld || isFresh; step++) {
    const order = !isOld ? 1 : !isFresh ? -1 : old.high - fresh.high || old.low - fresh.low
    const [isIn, isOut] = [order >= 0, order <= 0]
    count(isOut ? old.hosts : NONE, isIn ? fresh.hosts : NONE, isOut ? old : fresh, gathered)
    countPages(isOut ? old.pages : NONE, isIn ? fresh.pages : NONE, gathered)
    if (order <= 0) isOld = old.next()
    if (order >= 0) isFresh = fresh.next()
    if (step % SLICE === 0) await breathe()
  }
}

function count(
  was: readonly CategoryId[],
  is: readonly CategoryId[],
  { high, low }: Key,
  { counts, maxSamples }: Gathered,
): void {
  for (const category of was) {
    const counted = countedOf(counts, category)
    counted.before++
    if (is.includes(category)) continue
    counted.removed++
    if (counted.removedKeys.length < maxSamples) counted.removedKeys.push({ high, low })
  }
  for (const category of is) {
    const counted = countedOf(counts, category)
    counted.after++
    if (was.includes(category)) continue
    counted.added++
    if (counted.addedKeys.length < maxSamples) counted.addedKeys.push({ high, low })
  }
}

function countPages(
  was: readonly CategoryId[],
  is: readonly CategoryId[],
  { counts }: Gathered,
): void {
  for (const category of was) {
    const { pages } = countedOf(counts, category)
    pages.before++
    if (!is.includes(category)) pages.removed++
  }
  for (const category of is) {
    const { pages } = countedOf(counts, category)
    pages.after++
    if (!was.includes(category)) pages.added++
  }
}

function countedOf(counts: Map<CategoryId, Counted>, category: CategoryId): Counted {
  let counted = counts.get(category)
  if (counted === undefined) {
    const none = { before: 0, after: 0, added: 0, removed: 0 }
    counted = { ...none, pages: { ...none }, addedKeys: [], removedKeys: [] }
    counts.set(category, counted)
  }
  return counted
}

/** An index knows no names: they are found in the kept texts. */
async function nameKeys(
  dataDir: string,
  version: ListsVersion,
  wanted: ReadonlyMap<CategoryId, readonly Key[]>,
): Promise<Map<CategoryId, Host[]>> {
  const names = new Map<CategoryId, Host[]>()
  for (const list of version.lists) {
    for (const { category, kind, file } of await filesOf(dataDir, list)) {
      const keys = wanted.get(category) ?? []
      if (kind !== 'domains' || keys.length === 0) continue
      const found = names.get(category) ?? []
      names.set(category, found)
      const byLow = Map.groupBy(keys, ({ low }) => low)
      const isWanted = ({ high, low }: Key): boolean =>
        byLow.get(low)?.some(key => key.high === high) ?? false
      await readByteLines(file, (bytes, start, end) => {
        const key = keyOfBytes(bytes, start, end)
        if (key !== undefined && !isWanted(key)) return
        const parsed = parseListLine(bytes.toString('utf8', start, end))
        if (parsed.kind !== 'hosts') return
        for (const host of parsed.hosts)
          if (!found.includes(host) && isWanted(hostKey(host))) found.push(host)
      })
    }
  }
  return names
}
