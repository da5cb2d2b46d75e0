/** What an update of the lists would change: per category, and for the hosts that this city really asks for. */
import type { CategoryId } from './category.ts'
import type { Host } from './host.ts'
import type { ProfileId, SiteId } from './network.ts'

/** How one category changes between two versions. Hosts are counted once. */
export interface CategoryChange {
  readonly category: CategoryId
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
  /** A few of the hosts that come and go. */
  readonly addedSamples: readonly Host[]
  readonly removedSamples: readonly Host[]
  /** Listed pages that come and go; absent where none does. */
  readonly pages?: Figures
}

interface Figures {
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
}

/** How often a host was asked for. */
export interface Asked {
  readonly exchanges: number
  /** Of these, the ones over plain HTTP, whose addresses the filter sees. */
  readonly plain: number
}

/** A host asked for in this city whose verdict would change. */
export interface SeenChange {
  readonly host: Host
  /** Exchanges in the days looked at; 0 when it is known by a grant only. */
  readonly exchanges: number
  /** It is open by a grant today. */
  readonly isGranted: boolean
  /** For at least one profile; closing counts before opening, opening before a warning that comes. */
  readonly effect: 'closes' | 'warns' | 'opens'
  readonly profiles: readonly ProfileId[]
  /** The only schools concerned; absent: any. */
  readonly sites?: readonly SiteId[]
  /** Only some page of the host, which plain HTTP alone can ask for. */
  readonly listed?: 'page'
  /** The category that decides after (closes, warns) or decided before (opens). */
  readonly category?: CategoryId
}

export interface Rehearsal {
  /** Categories that change, the biggest change first. */
  readonly categories: readonly CategoryChange[]
  /** At most `MAX_SEEN_CHANGES`, those asked for most first. */
  readonly seen: readonly SeenChange[]
  readonly closes: number
  readonly warns: number
  readonly opens: number
  /** Distinct hosts looked at, and over how many days of the access log. */
  readonly hostsSeen: number
  readonly days: number
}

/** Why an update does not activate by itself. `percent` is of the category's hosts before. */
export type HoldReason =
  | { readonly kind: 'removed' | 'added'; readonly category: CategoryId; readonly percent: number }
  | { readonly kind: 'lost'; readonly category: CategoryId }
  | { readonly kind: 'seen'; readonly closes: number; readonly opens: number }
  /** A person asked to look at it first. */
  | { readonly kind: 'asked' }
  /** It was built on top of an update that waits already. */
  | { readonly kind: 'waiting' }

export const MAX_SEEN_CHANGES = 200

/** What an update may change by itself; see `lists` in the configuration. */
export interface Thresholds {
  readonly holdRemovedPercent: number
  readonly holdAddedPercent: number
  readonly holdFromHosts: number
  readonly holdSeen: number
}

/** Why an update must wait for a person; empty when it may be put in force by itself. */
export function holdReasons(rehearsal: Rehearsal, limits: Thresholds): HoldReason[] {
  const reasons: HoldReason[] = rehearsal.categories.flatMap((change): HoldReason[] => {
    const { category, before, after, added, removed, pages } = change
    const isOfPages = before === 0 && pages !== undefined && pages.before > 0
    const isLost = isOfPages ? after + pages.after === 0 : before > 0 && after === 0
    if (isLost) return [{ kind: 'lost', category }]
    const percentOf = (count: number): number =>
      count < limits.holdFromHosts || before === 0 ? 0 : Math.ceil((100 * count) / before)
    const gone = percentOf(removed)
    const come = percentOf(added)
    return [
      ...(gone > limits.holdRemovedPercent
        ? [{ kind: 'removed' as const, category, percent: gone }]
        : []),
      ...(come > limits.holdAddedPercent
        ? [{ kind: 'added' as const, category, percent: come }]
        : []),
    ]
  })
  const { closes, opens } = rehearsal
  return closes + opens > limits.holdSeen ? [...reasons, { kind: 'seen', closes, opens }] : reasons
}
