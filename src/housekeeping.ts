/**
 * What must not be kept: logs, audit, requests, ended grants and sessions past their time. Runs in the admin process; of
 * several, on one machine or many, one does the work of the hour. Log files are those of each machine.
 */
import { activateWhereEnded } from './admin/certificate-acts.ts'
import type { Logger } from 'pino'
import { deleteExpiredLogs } from './access-log/retention.ts'
import type { Config } from './config.ts'
import { hasCode } from './errors.ts'
import { accessLogDir } from './install.ts'
import type { Change, Kind } from './policy/document.ts'
import { CLOCK_TOLERANCE_MS, isKept, type Grant } from './policy/grant.ts'
import { latestKeyOf } from './policy/unblock-request.ts'
import type { ListQuery, Store, Stored } from './store/store.ts'

export interface HousekeepingOptions {
  readonly store: Store
  readonly config: Config
  readonly clock: () => number
  readonly logger: Pick<Logger, 'warn'>
}

const PERIOD_MS = 3_600_000
/** Shorter than the period, so that whoever has cleaned is the first who may again. */
const TURN = { max: 1, windowMs: PERIOD_MS - 5 * 60_000 }
const TURN_KEY = 'housekeeping'
const NOTE = { by: 'system', action: 'housekeeping' } as const
const DAY_MS = 86_400_000
const PAGE = 500
/** Changes of one commit: while it is made the store does nothing else. */
const BATCH = 100

/** Cleans now and every hour; a failure is logged and tried again at the next turn. */
export function startHousekeeping(options: HousekeepingOptions): { stop(): void } {
  let isStopped = false
  const run = (): void => {
    takeTurn(options).catch((error: unknown) => {
      // The store may have been closed under its feet: the next process takes the turn.
      if (!isStopped) options.logger.warn({ err: error }, 'housekeeping failed')
    })
  }
  const timer = setInterval(run, PERIOD_MS)
  timer.unref()
  run()
  return {
    stop() {
      isStopped = true
      clearInterval(timer)
    },
  }
}

/** The log files of this machine, and the records where nobody else has cleaned them in this hour; answers how many went. */
export async function takeTurn(options: HousekeepingOptions): Promise<number> {
  const { store, config, clock } = options
  const { accessLogRetentionDays } = config.limits
  // Without the store nothing tells, and no file must outlive its time because of that.
  const isDoubtful = await hasLeapt(store, clock()).catch(() => false)
  const files = isDoubtful
    ? []
    : await deleteExpiredLogs(accessLogDir(config), accessLogRetentionDays, clock())
  const { isTaken } = await store.permits.take(TURN_KEY, TURN)
  if (!isTaken) return files.length
  try {
    if (!isDoubtful) {
      await activateWhereEnded(store, clock())
      return files.length + (await cleanRecords(options))
    }
    // Whoever comes in an hour finds this entry, and believes the clock.
    await store.commit({ ...NOTE, detail: { records: 0 }, at: clock() }, [])
    return 0
  } catch (error) {
    await store.permits.clear(TURN_KEY).catch(() => undefined)
    throw error
  }
}

/**
 * Whether much time has passed since anybody did anything: a quiet city, or the clock of a machine that has just started and
 * is years ahead, by which all would be past its time.
 */
async function hasLeapt(store: Store, now: number): Promise<boolean> {
  const [newest] = await store.tail({ limit: 1 })
  return newest !== undefined && now - newest.at > DAY_MS
}

/** Answers how many records went or ended. Throws what the store throws. */
export async function cleanRecords({
  store,
  config,
  clock,
}: Pick<HousekeepingOptions, 'store' | 'config' | 'clock'>): Promise<number> {
  const now = clock()
  const oldest = now - config.limits.requestRetentionDays * DAY_MS
  // Nothing ends before it began: what has an id from after that day needs no look.
  const before = firstIdAt(oldest)
  const sweep = sweepOf(store, now)
  return (
    (await sweep('grant', { facet: 'active' }, async grant => endExpired(grant, now))) +
    (await sweep('grant', { facet: 'ended', before }, async grant => dropOldGrant(grant, oldest))) +
    (await sweep('request', { before }, request => dropOldRequest(store, request, oldest))) +
    (await sweep('session', {}, async session => dropSession(session, now))) +
    (await sweep('removed', {}, async removed => dropRemoved(removed, now))) +
    (await store.forget(oldest))
  )
}

/** What becomes of one record: changes that belong in one commit. */
type Judge<K extends Kind> = (record: Stored<K>) => Promise<Change[]>

const sweepOf =
  (store: Store, now: number) =>
  async <K extends Kind>(kind: K, query: ListQuery, judge: Judge<K>): Promise<number> => {
    let done = 0
    let { before } = query
    for (;;) {
      const cursor = before === undefined ? {} : { before }
      const page = await store.list(kind, { ...query, ...cursor, limit: PAGE })
      const wanted = (await Promise.all(page.map(judge))).filter(changes => changes.length > 0)
      for (const batch of batches(wanted)) done += await write(store, batch, now)
      before = page.at(-1)?.id
      if (page.length < PAGE || before === undefined) return done
    }
  }

function* batches(groups: readonly Change[][]): Generator<Change[][]> {
  let batch: Change[][] = []
  let size = 0
  for (const group of groups) {
    batch.push(group)
    size += group.length
    if (size < BATCH) continue
    yield batch
    ;[batch, size] = [[], 0]
  }
  if (batch.length > 0) yield batch
}

/** One commit; where somebody has just written one of the records, each by itself, and that one waits for the next turn. */
async function write(store: Store, groups: readonly Change[][], now: number): Promise<number> {
  const changes = groups.flat()
  const note = { ...NOTE, detail: { records: changes.length }, at: now }
  try {
    await store.commit(note, changes)
    return changes.length
  } catch (error) {
    if (!hasCode(error, 'PREAU_CONFLICT')) throw error
  }
  if (groups.length === 1) return 0
  let done = 0
  for (const group of groups) done += await write(store, [group], now)
  return done
}

/** A text that sorts after every id made before an instant, and before those made later (UUIDv7, RFC 9562 §5.7). */
function firstIdAt(ms: number): string {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}`
}

/** A grant well past its time is filed as ended, so that those in force stay quick to read; a read warning just goes. */
function endExpired({ id, version, body }: Stored<'grant'>, now: number): Change[] {
  if (isKept(body, now)) return []
  const ended: Grant = { ...body, endedBy: 'system', endedAt: body.until ?? now }
  return [
    { kind: 'grant', id, expects: version, body: body.origin === 'acknowledged' ? null : ended },
  ]
}

function dropOldGrant({ id, version, body }: Stored<'grant'>, oldest: number): Change[] {
  return (body.endedAt ?? Infinity) < oldest
    ? [{ kind: 'grant', id, expects: version, body: null }]
    : []
}

/** Decided or not: what nobody decided in that time nobody will. */
async function dropOldRequest(
  store: Store,
  { id, version, body }: Stored<'request'>,
  oldest: number,
): Promise<Change[]> {
  if ((body.decision?.at ?? body.lastAt) >= oldest) return []
  const gone: Change = { kind: 'request', id, expects: version, body: null }
  const latest = await store.get('latest', latestKeyOf(body))
  if (latest?.body.requestId !== id) return [gone]
  return [gone, { kind: 'latest', id: latest.id, expects: latest.version, body: null }]
}

function dropSession({ id, version, body }: Stored<'session'>, now: number): Change[] {
  return body.until <= now - CLOCK_TOLERANCE_MS
    ? [{ kind: 'session', id, expects: version, body: null }]
    : []
}

/** Nobody can put it back any more. */
function dropRemoved({ id, version, body }: Stored<'removed'>, now: number): Change[] {
  return body.at <= now - CLOCK_TOLERANCE_MS
    ? [{ kind: 'removed', id, expects: version, body: null }]
    : []
}
