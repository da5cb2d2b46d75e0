/**
 * Searches the journal from the newest entry back, as far as it is kept: by what the page shows, which no engine knows.
 * One search looks at a bounded number of entries and says how far it came; the next one goes on from there.
 */
import type { AuditEntry, Store } from '../store/store.ts'

const CHUNK = 500

export interface SearchLimits {
  /** Entries found, at most. */
  readonly found: number
  /** Entries looked at, at most: what one click may cost. */
  readonly looked: number
  readonly timeMs: number
}

export interface Searched {
  readonly entries: readonly AuditEntry[]
  /** The last entry looked at: older ones may be searched from there; undefined where there are none. */
  readonly reached: AuditEntry | undefined
  /** Whether it ended because it had enough: as many may follow. */
  readonly isFull: boolean
}

export async function searchAudit(
  store: Pick<Store, 'tail'>,
  matches: (entry: AuditEntry) => boolean,
  { before, limits }: { readonly before?: number | undefined; readonly limits: SearchLimits },
): Promise<Searched> {
  const until = performance.now() + limits.timeMs
  const entries: AuditEntry[] = []
  let looked = 0
  let from = before
  for (;;) {
    const limit = Math.min(CHUNK, limits.looked - looked)
    const chunk = await store.tail(from === undefined ? { limit } : { limit, before: from })
    for (const entry of chunk) {
      looked++
      if (matches(entry)) entries.push(entry)
      if (entries.length === limits.found) return { entries, reached: entry, isFull: true }
    }
    const last = chunk.at(-1)
    if (last === undefined || chunk.length < limit)
      return { entries, reached: undefined, isFull: false }
    if (looked >= limits.looked || performance.now() >= until)
      return { entries, reached: last, isFull: false }
    from = last.seq
  }
}
