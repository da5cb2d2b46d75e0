/** What comes and goes in each category between two versions of the lists: one merge of their two sorted indexes. */
import { setImmediate as breathe } from 'node:timers/promises'
import type { CategoryId } from '../policy/category.ts'
import type { Host } from '../policy/host.ts'
import type { ListsVersion } from '../policy/lists.ts'
import type { CategoryChange } from '../policy/rehearsal.ts'
import { hostKey, keyOfBytes } from './index/host-key.ts'
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
  const changed = [...counts].filter(([, { added, removed }]) => added + removed > 0)
  const added = changed.map(([category, { addedKeys }]) => [category, addedKeys] as const)
  const removed = changed.map(([category, { removedKeys }]) => [category, removedKeys] as const)
  const addedNames = await nameKeys(dataDir, after, new Map(added))
  const removedNames = await nameKeys(dataDir, before, new Map(removed))
  return changed
    .map(([category, counted]) => ({
      category,
      before: counted.before,
      after: counted.after,
      added: counted.added,
      removed: counted.removed,
      addedSamples: addedNames.get(category) ?? [],
      removedSamples: removedNames.get(category) ?? [],
    }))
    .sort((a, b) => b.added + b.removed - (a.added + a.removed))
}

/** Walks the records of a table in the order of their keys. */
class Cursor {
  high = 0
  low = 0
  set = 0
  readonly sets: readonly (readonly CategoryId[])[]
  readonly #table: IndexTable
  #bucket = 0
  #at = 0

  constructor(table: IndexTable) {
    this.#table = table
    const { tags, sets } = table.header
    this.sets = sets.map(set => [
      ...new Set(set.flatMap(at => (tags[at]?.kind === 'host' ? tags[at].category : []))),
    ])
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
    this.set = rest & 0xffff
    this.#at++
    return true
  }
}

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
    const was = order <= 0 ? (old.sets[old.set] ?? []) : NONE
    const is = order >= 0 ? (fresh.sets[fresh.set] ?? []) : NONE
    count(was, is, order <= 0 ? old : fresh, gathered)
    if (order <= 0) isOld = old.next()
    if (order >= 0) isFresh = fresh.next()
    if (step % SLICE === 0) await breathe()
  }
}

const NONE: readonly CategoryId[] = []

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

function countedOf(counts: Map<CategoryId, Counted>, category: CategoryId): Counted {
  let counted = counts.get(category)
  if (counted === undefined) {
    counted = { before: 0, after: 0, added: 0, removed: 0, addedKeys: [], removedKeys: [] }
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
