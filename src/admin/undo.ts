/** Takes a decision back while its ink is wet. Pure: answers the changes. */
import { PreauError } from '../errors.ts'
import type { Change } from '../policy/document.ts'
import type { Grant } from '../policy/grant.ts'
import { latestKeyOf, type UnblockRequest } from '../policy/unblock-request.ts'

/** How long a decision may be taken back by the person who made it. */
const UNDO_MS = 30_000

interface Versioned<T> {
  readonly version: number
  readonly body: T
}

export interface Undoing {
  readonly request: Versioned<UnblockRequest>
  /** The grant of an approval. */
  readonly grant: Versioned<Grant> | undefined
  /** What points to the newest request of this school for this host. */
  readonly latest: Versioned<{ readonly requestId: string }> | undefined
  readonly by: string
  readonly now: number
}

/** For how long this person may still take the decision back; 0: not (any more). */
export function undoLeftMs({ decision }: UnblockRequest, by: string, now: number): number {
  return decision === undefined ? 0 : leftMs({ by: decision.by, at: decision.at }, by, now)
}

interface Act {
  readonly by: string
  readonly at: number
}

/** For how long a person may take back what was done then. */
export function leftMs(act: Act, by: string, now: number): number {
  // A clock that was set back must not leave the way back open for as long.
  return act.by === by ? Math.max(0, UNDO_MS + 1 - Math.abs(now - act.at)) : 0
}

/**
 * The request is pending again, and the grant of an approval ends. Throws PREAU_UNDO_TOO_LATE when it is another person's
 * decision, too old, or when the school has asked again since: there is one pending request per host and school.
 */
export function undoDecision({ request, grant, latest, by, now }: Undoing): Change[] {
  const { decision, ...pending } = request.body
  const isNewest = latest === undefined || latest.body.requestId === pending.id
  if (undoLeftMs(request.body, by, now) === 0 || !isNewest)
    throw new PreauError('PREAU_UNDO_TOO_LATE')
  const changes: Change[] = [
    {
      kind: 'request',
      id: pending.id,
      expects: request.version,
      body: { ...pending, reopenedAs: request.version + 1 },
    },
    {
      kind: 'latest',
      id: latestKeyOf(pending),
      expects: latest?.version ?? 'absent',
      body: { requestId: pending.id },
    },
  ]
  if (decision?.outcome !== 'approved') return changes
  if (grant === undefined || grant.body.endedAt !== undefined) {
    throw new PreauError('PREAU_UNDO_TOO_LATE')
  }
  return [...changes, revoke(grant, by, now)]
}

/** Ends a grant. */
export function revoke({ body, version }: Versioned<Grant>, by: string, now: number): Change {
  const ended: Grant = { ...body, endedBy: by, endedAt: now }
  return { kind: 'grant', id: body.id, expects: version, body: ended }
}

/** Opens again what this person has just ended. Throws PREAU_UNDO_TOO_LATE, also where its time has come meanwhile. */
export function restore({ body, version }: Versioned<Grant>, by: string, now: number): Change {
  const { endedBy = '', endedAt = 0, ...open } = body
  const isInTime = leftMs({ by: endedBy, at: endedAt }, by, now) > 0
  if (!isInTime || (open.until !== null && open.until <= now)) {
    throw new PreauError('PREAU_UNDO_TOO_LATE')
  }
  return { kind: 'grant', id: body.id, expects: version, body: open }
}
