/** Grants: scoped exceptions that end by themselves, and the table that finds the one covering a client. */
import { compileByHost, type FindByHost } from './by-host.ts'
import type { CategorySet } from './category.ts'
import type { Host } from './host.ts'
import type { Client, SiteId } from './network.ts'

export type GrantId = string

/** Whom a grant concerns, from the narrowest to the widest. */
export type Scope =
  | { readonly kind: 'pc'; readonly ip: Host }
  | { readonly kind: 'room'; readonly site: SiteId; readonly room: string }
  | { readonly kind: 'site'; readonly site: SiteId }
  | { readonly kind: 'city' }
export const SCOPE_KINDS = ['pc', 'room', 'site', 'city'] as const
export type ScopeKind = Scope['kind']

/** How long the DSI may open a site for. */
export const DURATIONS = ['hour', 'day', 'week', 'forever'] as const
export type Duration = (typeof DURATIONS)[number]

/**
 * An exception for a host and its sub-domains. An approved one opens them; an acknowledged one takes away a warning and nothing
 * else. Times are epoch milliseconds.
 */
export interface Grant {
  readonly id: GrantId
  readonly host: Host
  readonly scope: Scope
  /** `approved` by the DSI, or `acknowledged` by the person who read a warning. */
  readonly origin: 'approved' | 'acknowledged'
  readonly by: string
  readonly at: number
  /** null: for good. */
  readonly until: number | null
  readonly requestId?: string
  /** Of an acknowledged one: the categories whose warning was read. Absent in old records: any. */
  readonly categories?: CategorySet
  /** Of an approved one: the DSI also opens what a rule or a list closes below the host by a name of its own. */
  readonly opensNarrower?: boolean
  readonly endedBy?: string
  readonly endedAt?: number
}

/** Whether a grant is in force: not ended by a person and not past its time. */
export function isInForce(grant: Grant, now: number): boolean {
  return grant.endedAt === undefined && (grant.until === null || now < grant.until)
}

/** How wrong the clock of a machine may be for a while without destroying a grant or a session that it took for ended. */
export const CLOCK_TOLERANCE_MS = 2 * 3_600_000

/** Whether a grant is in force or may be again once the clock is set right: what must not be thrown away. */
export function isKept(grant: Grant, now: number): boolean {
  return isInForce(grant, now - CLOCK_TOLERANCE_MS)
}

export function covers(scope: Scope, client: Client): boolean {
  switch (scope.kind) {
    case 'pc':
      return scope.ip === client.ip
    case 'room':
      return scope.site === client.site && scope.room === client.room
    case 'site':
      return scope.site === client.site
    case 'city':
      return true
    default:
      return scope satisfies never
  }
}

/** Whether a grant opens its host for a client now. */
export function opensFor(grant: Grant, client: Client, now: number): boolean {
  return isInForce(grant, now) && covers(grant.scope, client)
}

export type GrantTable = FindByHost<Grant>

/** The grants of one origin. */
export function compileGrants(grants: readonly Grant[], origin: Grant['origin']): GrantTable {
  return compileByHost(
    grants.filter(grant => grant.origin === origin),
    opensFor,
  )
}
