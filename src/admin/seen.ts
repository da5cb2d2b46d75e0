/** The note that a person who decides had a request before his eyes: those who wait are told. */
import { hasCode } from '../errors.ts'
import { isPending } from '../policy/unblock-request.ts'
import type { Stored } from '../store/store.ts'
import type { RouteDeps } from './deps.ts'

/** One commit for all; when somebody else was faster on one of them, each by itself, and that one is left alone. */
export async function markSeen(deps: RouteDeps, by: string, ids: readonly string[]): Promise<void> {
  const found = await Promise.all([...new Set(ids)].map(id => deps.store.get('request', id)))
  const unseen = found.filter(
    row => row !== undefined && isPending(row.body) && row.body.seenAt === undefined,
  )
  if (unseen.length === 0) return
  if (await commitSeen(deps, by, unseen)) return
  for (const row of unseen) await commitSeen(deps, by, [row])
}

async function commitSeen(
  { store, clock }: RouteDeps,
  by: string,
  rows: readonly (Stored<'request'> | undefined)[],
): Promise<boolean> {
  const now = clock()
  const changes = rows.flatMap(row =>
    row === undefined
      ? []
      : [
          {
            kind: 'request',
            id: row.id,
            expects: row.version,
            body: { ...row.body, seenAt: now },
          } as const,
        ],
  )
  const subject = changes
    .map(change => change.body.host)
    .join(', ')
    .slice(0, 500)
  try {
    await store.commit({ by, action: 'request.seen', subject, at: now }, changes)
    return true
  } catch (error) {
    if (hasCode(error, 'PREAU_CONFLICT')) return false
    throw error
  }
}
