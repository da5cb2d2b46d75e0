/** How old each list is, and whether its source still answers. */
import type { FetchStatus, KnownSource } from './list-source.ts'
import type { ListInfo } from './lists.ts'

/**
 * `fresh`: the source answered lately; `old`: it has been silent for too long, or nobody has imported the list anew;
 * `failing`: the last fetch failed; `manual`: no source fetches it; `never`: its source has not answered yet.
 */
export type ListAge = 'fresh' | 'old' | 'failing' | 'manual' | 'never'

export interface ListStanding {
  readonly name: string
  /** Epoch ms; undefined when nothing was imported yet. */
  readonly importedAt: number | undefined
  readonly checkedAt: number | undefined
  /** Since the source answered, or since the import where no source fetches it. */
  readonly ageMs: number | undefined
  readonly state: ListAge
  /** An enabled source fetches it. */
  readonly isFetched: boolean
}

export interface StandingParts {
  readonly lists: readonly ListInfo[]
  readonly sources: readonly KnownSource[]
  readonly statuses: ReadonlyMap<string, FetchStatus>
  readonly now: number
  readonly warnAfterDays: number
}

const DAY_MS = 86_400_000

/** All lists and all enabled sources, by name. */
export function listStandings(parts: StandingParts): ListStanding[] {
  const { lists, sources, statuses } = parts
  const enabled = sources.filter(source => source.enabled)
  const names = new Set([...lists, ...enabled].map(({ name }) => name))
  return [...names].sort().map(name => {
    const list = lists.find(other => other.name === name)
    const status = enabled.some(other => other.name === name)
      ? (statuses.get(name) ?? { nextAt: 0 })
      : undefined
    return standingOf(name, list, status, parts)
  })
}

function standingOf(
  name: string,
  list: ListInfo | undefined,
  status: FetchStatus | undefined,
  { now, warnAfterDays }: StandingParts,
): ListStanding {
  const importedAt = list?.importedAt
  const checkedAt = status?.checkedAt
  const since = status === undefined ? importedAt : (checkedAt ?? status.failure?.since)
  const ageMs = since === undefined ? undefined : Math.max(0, now - since)
  const isOld = ageMs !== undefined && ageMs > warnAfterDays * DAY_MS
  const state = ((): ListAge => {
    // The starter lists have no folder: they come with Préau, and age with it.
    if (status === undefined) return isOld && list?.folder !== null ? 'old' : 'manual'
    if (isOld) return 'old'
    if (status.failure !== undefined) return 'failing'
    return checkedAt === undefined ? 'never' : 'fresh'
  })()
  return { name, importedAt, checkedAt, ageMs, state, isFetched: status !== undefined }
}
