/** The kinds of records that the store keeps, and how a change of them is written. */
import { networkOf } from './address.ts'
import type { Alarm } from './alarm.ts'
import type { Session, SetupLinks, User } from './account.ts'
import type { Grant } from './grant.ts'
import type { Installation } from './installation.ts'
import type { FetchStatus, StoredSource } from './list-source.ts'
import type { CandidateDocument, ListsDocument } from './lists.ts'
import type { PolicyDocument } from './policy-document.ts'
import type { Removed } from './removed.ts'
import type { UnblockRequest } from './unblock-request.ts'

/** Every record by kind. `policy`, `lists`, `candidate` and `installation` have the single id `CURRENT`. */
export interface Documents {
  policy: PolicyDocument
  lists: ListsDocument
  /** An update of the lists that waits for a person. */
  candidate: CandidateDocument
  /** By the name of the list. */
  source: StoredSource
  /** How fetching a source goes, by the name of the list; also for sources of the configuration. */
  fetch: FetchStatus
  alarm: Alarm
  installation: Installation
  request: UnblockRequest
  /** Points to the newest request of a school for a host, under `latestKey`. Its expected version is what makes one pending request per host and school. */
  latest: { readonly requestId: string }
  grant: Grant
  user: User
  session: Session
  setup: SetupLinks
  /** Under `removedId`. */
  removed: Removed
}
export type Kind = keyof Documents
export const CURRENT = 'current'

/** What decides, and what all that serve follow. Most commits of a city change other records. */
export const FOLLOWED = ['policy', 'lists', 'grant'] as const satisfies readonly Kind[]
export type FollowedKind = (typeof FOLLOWED)[number]

/** Writes (`body`) or removes (`null`) a record; `expects` names the version it must have now, or that it must not exist. */
export type Change = {
  [K in Kind]: {
    readonly kind: K
    readonly id: string
    readonly expects?: number | 'absent'
    readonly body: Documents[K] | null
  }
}[Kind]

/**
 * The names under which a record is listed and counted, derived from the record alone: few for each record, and for
 * requests their state, host and, while pending, school and the PC that opened them (in IPv6 its network).
 */
export function facetsOf(change: Change): readonly string[] {
  if (change.body === null) return []
  switch (change.kind) {
    case 'request':
      return requestFacets(change.body)
    case 'grant':
      return grantFacets(change.body)
    case 'session':
      return [`user:${change.body.user}`]
    default:
      return []
  }
}

function requestFacets({ decision, host, site, askers }: UnblockRequest): readonly string[] {
  if (decision !== undefined) return [decision.outcome, `host:${host}`]
  const opener = askers[0]
  const byPc = opener === undefined ? [] : [`pending-pc:${networkOf(opener.ip)}`]
  return ['pending', `host:${host}`, `pending-site:${site}`, ...byPc]
}

function grantFacets({ endedAt, host, origin }: Grant): readonly string[] {
  const states = endedAt === undefined ? ['active', `active:${origin}`] : ['ended']
  return [...states, `host:${host}`]
}
