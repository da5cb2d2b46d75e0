/** What must not be kept: logs, audit, requests, ended grants and sessions past their time. Runs in the admin process. */
import type { Logger } from 'pino'
import { deleteExpiredLogs } from './access-log/retention.ts'
import type { Config } from './config.ts'
import { accessLogDir } from './install.ts'
import type { Change } from './policy/document.ts'
import { CLOCK_TOLERANCE_MS, isKept, type Grant } from './policy/grant.ts'
import { latestKey } from './policy/unblock-request.ts'
import type { Store, Stored } from './store/store.ts'

export interface HousekeepingOptions {
  readonly store: Store
  readonly config: Config
  readonly clock: () => number
  readonly logger: Logger
}

const PERIOD_MS = 3_600_000
const DAY_MS = 86_400_000
const BATCH = 500

/** Cleans now and every hour; a failure is logged and tried again at the next turn. */
export function startHousekeeping(options: HousekeepingOptions): { stop(): void } {
  const run = (): void => {
    cleanUp(options).catch((error: unknown) =>
      options.logger.warn({ err: error }, 'housekeeping failed'),
    )
  }
  const timer = setInterval(run, PERIOD_MS)
  timer.unref()
  run()
  return { stop: () => clearInterval(timer) }
}

/** One turn of the cleaning; answers how many records and files went or ended. */
export async function cleanUp({ store, config, clock }: HousekeepingOptions): Promise<number> {
  const now = clock()
  const oldest = now - config.limits.requestRetentionDays * DAY_MS
  const files = await deleteExpiredLogs(
    accessLogDir(config),
    config.limits.accessLogRetentionDays,
    now,
  )
  const changes = [
    ...(await store.list('grant', { state: 'active', limit: BATCH * 100 })).flatMap(grant =>
      endExpired(grant, now),
    ),
    ...(await store.list('grant', { state: 'ended', limit: BATCH * 100 })).flatMap(grant =>
      dropOldGrant(grant, oldest),
    ),
    ...(await oldRequests(store, oldest)),
    ...(await store.list('session', { limit: BATCH * 100 }))
      .filter(({ body }) => body.until <= now - CLOCK_TOLERANCE_MS)
      .map(({ id, version }): Change => ({ kind: 'session', id, expects: version, body: null })),
  ]
  for (let i = 0; i < changes.length; i += BATCH) {
    const batch = changes.slice(i, i + BATCH)
    await store.commit(
      { by: 'system', action: 'housekeeping', detail: { records: batch.length }, at: now },
      batch,
    )
  }
  return changes.length + files.length + (await store.forget(oldest))
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
async function oldRequests(store: Store, oldest: number): Promise<Change[]> {
  const old = (await store.list('request', { limit: BATCH * 200 })).filter(
    ({ body }) => (body.decision?.at ?? body.lastAt) < oldest,
  )
  const changes: Change[] = []
  for (const { id, version, body } of old) {
    changes.push({ kind: 'request', id, expects: version, body: null })
    const latest = await store.get('latest', latestKey(body.site, body.host))
    if (latest?.body.requestId === id) {
      changes.push({ kind: 'latest', id: latest.id, expects: latest.version, body: null })
    }
  }
  return changes
}
