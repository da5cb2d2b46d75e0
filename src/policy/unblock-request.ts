/** The life of an unblock request: opened or joined by a PC, seen, then approved or refused. Pure: answers changes. */
import { PreauError } from '../errors.ts'
import type { CategoryId } from './category.ts'
import type { Decision, Previous } from './decision.ts'
import type { Change } from './document.ts'
import type { Duration, Grant, Scope, ScopeKind } from './grant.ts'
import type { Host } from './host.ts'
import { UNKNOWN_SITE, type Client, type SiteId } from './network.ts'
import type { Refusal } from './refusal.ts'
import { endOfDay } from './schedule.ts'
import type { RefusalReason } from './verdict.ts'

export type RequestId = string

/** A PC that asked: the first ones are kept, the others only counted. */
export interface Asker {
  readonly ip: Host
  readonly room: string
  readonly at: number
}

/**
 * One wish per site and school: further clicks join it. Of networks that nobody knows each address wishes for itself.
 * Times are epoch milliseconds.
 */
export interface UnblockRequest {
  readonly id: RequestId
  readonly host: Host
  readonly port: number
  /** As far as it is known: scheme, host and path; never the query (it may hold secrets). */
  readonly url: string
  readonly reason: RefusalReason
  readonly category?: CategoryId
  /** The category is that of the page asked for, not of the host that a grant would open. */
  readonly listed?: 'page'
  /** Categories in which some page of the host is listed: where the path is hidden, nobody can tell which. */
  readonly hints?: readonly CategoryId[]
  readonly site: SiteId
  readonly siteName: string
  /** Distinct PCs, in the order they asked; at most `MAX_ASKERS`. The first one is whom `pc` and `room` scopes mean. */
  readonly askers: readonly Asker[]
  /** All clicks, joined ones included. */
  readonly clicks: number
  readonly at: number
  readonly lastAt: number
  readonly seenAt?: number
  /** What was decided the last time that the same was asked. */
  readonly previous?: Previous
  readonly decision?: Decision
  /** The version at which an undo made it pending again: a click on what was shown before that decides nothing. */
  readonly reopenedAs?: number
}

export const MAX_ASKERS = 20
export const MAX_REASON = 500

/**
 * The latest request of a school for a host is found under this key: the one place that makes it. Strangers share no
 * school: one row for all of them could open the site for one of them only.
 */
export function latestKey({ site, ip }: Pick<Client, 'site' | 'ip'>, host: Host): string {
  return latestKeyOf({ site, askers: [{ ip }], host })
}

interface Keyed extends Pick<UnblockRequest, 'site' | 'host'> {
  readonly askers: readonly Pick<Asker, 'ip'>[]
}

/** The key of the pointer that names this request. */
export function latestKeyOf({ site, askers: [first], host }: Keyed): string {
  return site === UNKNOWN_SITE && first !== undefined
    ? `${site}/${first.ip}/${host}`
    : `${site}/${host}`
}

interface Opening {
  readonly url: string
  readonly hints: readonly CategoryId[]
  readonly previous?: Previous | undefined
}

export function openRequest(
  id: RequestId,
  refusal: Refusal,
  { url, hints, previous }: Opening,
  now: number,
): UnblockRequest {
  const { client, target, verdict } = refusal
  return {
    id,
    host: target.host,
    port: target.port,
    url,
    reason: verdict.reason,
    ...(verdict.category === undefined ? {} : { category: verdict.category }),
    ...(verdict.listed === undefined ? {} : { listed: verdict.listed }),
    ...(hints.length === 0 ? {} : { hints }),
    ...(previous === undefined ? {} : { previous }),
    site: client.site,
    siteName: client.siteName,
    askers: [askerOf(client, now)],
    clicks: 1,
    at: now,
    lastAt: now,
  }
}

const askerOf = (client: Client, at: number): Asker => ({ ip: client.ip, room: client.room, at })

/** The same request with one click more; a PC that asked before is not listed twice. */
export function joinRequest(request: UnblockRequest, client: Client, now: number): UnblockRequest {
  const isKnown = request.askers.some(asker => asker.ip === client.ip)
  const isFull = request.askers.length >= MAX_ASKERS
  return {
    ...request,
    askers: isKnown || isFull ? request.askers : [...request.askers, askerOf(client, now)],
    clicks: request.clicks + 1,
    // The clocks of two machines differ: a click does not take the time of the last one back.
    lastAt: Math.max(request.lastAt, now),
  }
}

export function isPending(request: UnblockRequest): boolean {
  return request.decision === undefined
}

/** A request as read from the store, with the version that a decision on it expects. */
export interface StoredRequest {
  readonly version: number
  readonly body: UnblockRequest
}

export interface Approval {
  readonly grantId: string
  readonly scope: ScopeKind
  readonly duration: Duration
  /** Nobody reads it but those who decide. */
  readonly note?: string
  /** The DSI was told that a narrower name may be closed, and opens that too. */
  readonly opensNarrower?: boolean
  readonly by: string
  readonly now: number
  readonly timeZone: string
}

/** Changes of an approval: the decided request and its grant, both or none. */
export function approve({ body, version }: StoredRequest, approval: Approval): Change[] {
  assertPending(body)
  const { grantId, by, now } = approval
  const grant: Grant = {
    id: grantId,
    host: body.host,
    scope: scopeOf(body, approval.scope),
    origin: 'approved',
    by,
    at: now,
    until: untilOf(approval.duration, now, approval.timeZone),
    requestId: body.id,
    ...(approval.opensNarrower === true ? { opensNarrower: true } : {}),
  }
  const noted = approval.note === undefined ? {} : { note: approval.note }
  const decision: Decision = { outcome: 'approved', by, at: now, grant: grantId, ...noted }
  return [
    { kind: 'request', id: body.id, expects: version, body: decided(body, decision) },
    { kind: 'grant', id: grantId, expects: 'absent', body: grant },
  ]
}

export interface Rejection {
  readonly by: string
  /** Pupils and teachers read it. */
  readonly reason: string
  /** Nobody reads it but those who decide. */
  readonly note?: string
  readonly now: number
  readonly againAt?: number
}

/** Changes of a refusal. */
export function refuse({ body, version }: StoredRequest, rejection: Rejection): Change[] {
  assertPending(body)
  const { by, reason, note, now, againAt } = rejection
  const until = againAt === undefined ? {} : { againAt }
  const noted = note === undefined ? {} : { note }
  const decision: Decision = { outcome: 'refused', by, at: now, reason, ...noted, ...until }
  return [{ kind: 'request', id: body.id, expects: version, body: decided(body, decision) }]
}

/** Whoever decides has seen it. */
function decided(body: UnblockRequest, decision: Decision): UnblockRequest {
  return { ...body, seenAt: body.seenAt ?? decision.at, decision }
}

function assertPending({ decision }: UnblockRequest): void {
  if (decision === undefined) return
  const { by, at, outcome } = decision
  const when = new Date(at).toISOString()
  throw new PreauError('PREAU_ALREADY_DECIDED', { by, outcome, when })
}

function scopeOf({ askers, site }: UnblockRequest, kind: ScopeKind): Scope {
  const first = askers[0]
  if (first === undefined) throw new TypeError('a request has an asker')
  switch (kind) {
    case 'pc':
      return { kind, ip: first.ip }
    case 'room':
      return { kind, site, room: first.room }
    case 'site':
      return { kind, site }
    case 'city':
      return { kind }
    default:
      return kind satisfies never
  }
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The end of a grant in epoch milliseconds; `day` ends with the civil day of the city. */
export function untilOf(duration: Duration, now: number, timeZone: string): number | null {
  switch (duration) {
    case 'hour':
      return now + HOUR_MS
    case 'day':
      return endOfDay(now, timeZone)
    case 'week':
      return now + 7 * DAY_MS
    case 'forever':
      return null
    default:
      return duration satisfies never
  }
}
