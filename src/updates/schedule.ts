/** The nights of the admin process: each minute it looks which source is due, and starts that one fetch. */
import type { Logger } from 'pino'
import { readListState } from '../admin/list-state.ts'
import type { ListWork } from '../admin/deps.ts'
import type { Change } from '../policy/document.ts'
import { liveClaim } from '../policy/list-source.ts'
import { momentOf, type RecordDeps } from './fetch-record.ts'
import { SCHEDULE } from './fetch-source.ts'
import { dueAt } from './fetch-times.ts'

export interface ScheduleOptions extends RecordDeps {
  readonly work: Pick<ListWork, 'fetch'>
  readonly logger: Pick<Logger, 'warn'>
}

const PERIOD_MS = 60_000
/** Where a fetch leaves no trace (the store is down), it is not started again and again. */
const PAUSE_MS = 3_600_000

/** Looks now and every minute; a failure is logged and tried again at the next turn. */
export function startSchedule(options: ScheduleOptions): { stop(): void } {
  const turn = createTurn(options)
  let isLooking = false
  const look = async (): Promise<void> => {
    if (isLooking) return
    isLooking = true
    try {
      await turn()
    } catch (error) {
      options.logger.warn({ err: error }, 'the sources of the lists could not be looked at')
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void look(), PERIOD_MS)
  timer.unref()
  void look()
  return { stop: () => clearInterval(timer) }
}

/** One look at the sources: plans what has no plan, starts the one that has waited longest; answers its name. */
export function createTurn(
  options: Omit<ScheduleOptions, 'logger'>,
): () => Promise<string | undefined> {
  const { clock, work } = options
  const started = new Map<string, number>()
  return async () => {
    const now = clock()
    const { sources, statuses } = await readListState(options)
    const rows = sources
      .filter(({ enabled }) => enabled)
      .map(({ name }) => {
        const status = statuses.get(name)
        const planned = status?.nextAt
        const at = dueAt(momentOf(options, name), planned, now)
        return { name, planned, at, isClaimed: liveClaim(status, now) !== undefined, status }
      })
    await plan(
      options,
      rows.filter(({ planned, at }) => at > now && planned !== at),
      now,
    )
    for (const name of started.keys()) {
      if (!rows.some(row => row.name === name)) started.delete(name)
    }
    const due = rows
      .filter(({ at, isClaimed }) => at <= now && !isClaimed)
      .filter(({ name, status }) => {
        const startedAt = started.get(name) ?? -Infinity
        // A claim since then is a trace: of this machine or of another, which died over it.
        return (
          Math.abs(now - startedAt) >= PAUSE_MS || (status?.claim?.at ?? -Infinity) >= startedAt
        )
      })
      .sort((a, b) => a.at - b.at)[0]
    if (due === undefined || !work.fetch(due.name, SCHEDULE)) return undefined
    started.set(due.name, now)
    return due.name
  }
}

/** The admin app shows when a source is asked next: that is written down as soon as it is known. */
async function plan(
  { store }: RecordDeps,
  rows: readonly { readonly name: string; readonly at: number }[],
  now: number,
): Promise<void> {
  if (rows.length === 0) return
  const changes = rows.map(async ({ name, at }): Promise<Change> => {
    const before = await store.get('fetch', name)
    const body = { ...before?.body, nextAt: at }
    return { kind: 'fetch', id: name, expects: before?.version ?? 'absent', body }
  })
  const note = { by: 'system', action: 'source.plan', at: now }
  await store.commit(note, await Promise.all(changes))
}
