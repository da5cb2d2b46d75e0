/** Since when lists, categories and entries stand there: carried over from the version before, whatever wrote it. */
import { hasCode } from '../errors.ts'
import type { CategoryId } from '../policy/category.ts'
import type { ListInfo, ListsVersion } from '../policy/lists.ts'
import { writeArrivals, type Update } from './arrivals.ts'
import type { Kept } from './reading/unpacking.ts'

/** Documents of the first version had no dates of categories, no pages and no expressions. */
export function completeList(list: ListInfo): ListInfo {
  const missing = { firstImportedAt: list.importedAt, since: {}, urls: {}, expressions: {} }
  return { ...missing, ...list }
}

/** Since when the entries of a list stand in it, as far as whole lists and categories tell. */
export function historyOf(
  current: ListsVersion | undefined,
  name: string,
  kept: readonly Kept[],
  now: number,
): Pick<ListInfo, 'firstImportedAt' | 'since'> {
  const found = current?.lists.find(list => list.name === name)
  if (found === undefined) return { firstImportedAt: now, since: {} }
  const { firstImportedAt, since, counts, urls, expressions } = completeList(found)
  const had = { ...counts, ...urls, ...expressions }
  const dated = kept.flatMap(({ category }): [CategoryId, number][] => {
    const at = category in had ? since[category] : now
    return at === undefined ? [] : [[category, at]]
  })
  return { firstImportedAt, since: Object.fromEntries(dated) }
}

/** A damaged index must not stop the import that replaces it: what came when is then told by the list's own dates. */
export async function noteArrivals(update: Update): Promise<void> {
  await writeArrivals(update).catch((error: unknown) => {
    if (!hasCode(error, 'PREAU_INDEX_DAMAGED')) throw error
  })
}
