/** Reads a whole kind of records page by page, up to a bound. */
import type { Kind } from '../policy/document.ts'
import type { Store, Stored } from '../store/store.ts'

const PAGE = 500

export async function listAll<K extends Kind>(
  store: Store,
  kind: K,
  query: { readonly facet?: string },
  max: number,
): Promise<Stored<K>[]> {
  const found: Stored<K>[] = []
  let before: string | undefined
  while (found.length < max) {
    const limit = Math.min(PAGE, max - found.length)
    const page = await store.list(
      kind,
      before === undefined ? { ...query, limit } : { ...query, limit, before },
    )
    found.push(...page)
    if (page.length < limit) break
    before = page.at(-1)?.id
  }
  return found
}
