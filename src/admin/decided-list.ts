/** The decided requests, the newest first: a page of them, or those that are searched. */
import type { Store, Stored } from '../store/store.ts'
import { ROWS } from './paging.ts'

const CHUNK = 250
/** What one search costs at the most; the next one goes on from there. */
const MAX_LOOKED = 2_000
export const OUTCOMES = ['approved', 'refused'] as const
export type Outcome = (typeof OUTCOMES)[number]

export interface DecidedQuery {
  readonly before: string | undefined
  readonly outcome: Outcome | undefined
  /** undefined: nothing is searched. */
  readonly isWanted: ((row: Stored<'request'>) => boolean) | undefined
}

export interface DecidedPage {
  readonly rows: readonly Stored<'request'>[]
  /** Where the next page begins, or where a search goes on; undefined at the end. */
  readonly older: string | undefined
  /** The search stopped before the end without finding a whole page. */
  readonly isCut: boolean
}

export async function listDecided(store: Store, query: DecidedQuery): Promise<DecidedPage> {
  const { outcome, isWanted } = query
  const facets = outcome === undefined ? OUTCOMES : [outcome]
  const limit = isWanted === undefined ? ROWS + 1 : CHUNK
  const rows: Stored<'request'>[] = []
  let looked = 0
  let { before } = query
  for (;;) {
    const cursor = before === undefined ? {} : { before }
    const lists = await Promise.all(
      facets.map(facet => store.list('request', { facet, limit, ...cursor })),
    )
    // Of each list so many were read: only the newest so many of both together are without a gap.
    const chunk = lists
      .flat()
      .toSorted((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, limit)
    for (const row of chunk) {
      if (isWanted !== undefined && !isWanted(row)) continue
      // One more than a page tells that there is another one.
      if (rows.length === ROWS) return { rows, older: rows.at(-1)?.id, isCut: false }
      rows.push(row)
    }
    looked += chunk.length
    before = chunk.at(-1)?.id
    if (chunk.length < limit || before === undefined) {
      return { rows, older: undefined, isCut: false }
    }
    if (looked >= MAX_LOOKED) return { rows, older: before, isCut: true }
  }
}
