/** What the store and the configuration say about the lists, read together for the pages that show it. */
import type { Alarm } from '../policy/alarm.ts'
import { CURRENT } from '../policy/document.ts'
import { listStandings, type ListStanding } from '../policy/list-age.ts'
import { mergeSources, type FetchStatus, type KnownSource } from '../policy/list-source.ts'
import type { Stored } from '../store/store.ts'
import type { AdminDeps } from './deps.ts'

/** Sources kept in the store, and as many fetches: more than a city has use for. */
export const MAX_SOURCES = 100
const MAX_STATUSES = 300
const MAX_ALARMS = 20

export interface ListState {
  readonly lists: Stored<'lists'> | undefined
  readonly candidate: Stored<'candidate'> | undefined
  readonly sources: readonly KnownSource[]
  /** Those of the store, by name. */
  readonly stored: ReadonlyMap<string, Stored<'source'>>
  readonly statuses: ReadonlyMap<string, FetchStatus>
  readonly alarms: readonly Alarm[]
  readonly standings: readonly ListStanding[]
}

export async function readListState({
  store,
  config,
  clock,
}: Pick<AdminDeps, 'store' | 'config' | 'clock'>): Promise<ListState> {
  const [lists, candidate, stored, fetches, alarms] = await Promise.all([
    store.get('lists', CURRENT),
    store.get('candidate', CURRENT),
    store.list('source', { limit: MAX_SOURCES }),
    store.list('fetch', { limit: MAX_STATUSES }),
    store.list('alarm', { limit: MAX_ALARMS }),
  ])
  const sources = mergeSources(
    config.lists.sources,
    stored.map(({ body }) => body),
  )
  const statuses = new Map(fetches.map(({ id, body }) => [id, body]))
  const { warnAfterDays } = config.lists
  const parts = { lists: lists?.body.lists ?? [], sources, statuses, now: clock(), warnAfterDays }
  return {
    lists,
    candidate,
    sources,
    stored: new Map(stored.map(row => [row.id, row])),
    statuses,
    alarms: alarms.map(({ body }) => body),
    standings: listStandings(parts),
  }
}
