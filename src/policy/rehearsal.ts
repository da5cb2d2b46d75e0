/** What an update of the lists would change: per category, and for the hosts that this city really asks for. */
import type { CategoryId } from './category.ts'
import type { Grant } from './grant.ts'
import { suffixes, type Host } from './host.ts'
import { UNKNOWN_SITE, type Client, type ProfileId } from './network.ts'
import type { PolicyDocument } from './policy-document.ts'
import { strictestProfile } from './profile.ts'
import type { Snapshot } from './snapshot.ts'
import { decide, type Verdict } from './verdict.ts'

/** How one category changes between two versions. Hosts are counted once. */
export interface CategoryChange {
  readonly category: CategoryId
  readonly before: number
  readonly after: number
  readonly added: number
  readonly removed: number
  /** A few of the hosts that come and go. */
  readonly addedSamples: readonly Host[]
  readonly removedSamples: readonly Host[]
}

/** A host asked for in this city whose verdict would change. */
export interface SeenChange {
  readonly host: Host
  /** Exchanges in the days looked at; 0 when it is known by a grant only. */
  readonly exchanges: number
  /** It is open by a grant today. */
  readonly isGranted: boolean
  /** For at least one profile; closing counts before opening, opening before a warning that comes. */
  readonly effect: 'closes' | 'warns' | 'opens'
  readonly profiles: readonly ProfileId[]
  /** The category that decides after (closes, warns) or decided before (opens). */
  readonly category?: CategoryId
}

export interface Rehearsal {
  /** Categories that change, the biggest change first. */
  readonly categories: readonly CategoryChange[]
  /** At most `MAX_SEEN_CHANGES`, those asked for most first. */
  readonly seen: readonly SeenChange[]
  readonly closes: number
  readonly warns: number
  readonly opens: number
  /** Distinct hosts looked at, and over how many days of the access log. */
  readonly hostsSeen: number
  readonly days: number
}

/** Why an update does not activate by itself. `percent` is of the category's hosts before. */
export type HoldReason =
  | { readonly kind: 'removed' | 'added'; readonly category: CategoryId; readonly percent: number }
  | { readonly kind: 'lost'; readonly category: CategoryId }
  | { readonly kind: 'seen'; readonly closes: number; readonly opens: number }
  /** A person asked to look at it first. */
  | { readonly kind: 'asked' }
  /** It was built on top of an update that waits already. */
  | { readonly kind: 'waiting' }

export const MAX_SEEN_CHANGES = 200

/** What an update may change by itself; see `lists` in the configuration. */
export interface Thresholds {
  readonly holdRemovedPercent: number
  readonly holdAddedPercent: number
  readonly holdFromHosts: number
  readonly holdSeen: number
}

/** Why an update must wait for a person; empty when it may be put in force by itself. */
export function holdReasons(rehearsal: Rehearsal, limits: Thresholds): HoldReason[] {
  const reasons: HoldReason[] = rehearsal.categories.flatMap((change): HoldReason[] => {
    const { category, before, after, added, removed } = change
    if (before > 0 && after === 0) return [{ kind: 'lost', category }]
    const percentOf = (count: number): number =>
      count < limits.holdFromHosts || before === 0 ? 0 : Math.ceil((100 * count) / before)
    const gone = percentOf(removed)
    const come = percentOf(added)
    return [
      ...(gone > limits.holdRemovedPercent
        ? [{ kind: 'removed' as const, category, percent: gone }]
        : []),
      ...(come > limits.holdAddedPercent
        ? [{ kind: 'added' as const, category, percent: come }]
        : []),
    ]
  })
  const { closes, opens } = rehearsal
  return closes + opens > limits.holdSeen ? [...reasons, { kind: 'seen', closes, opens }] : reasons
}

export interface VerdictsQuestion {
  readonly before: Snapshot
  readonly after: Snapshot
  readonly policy: PolicyDocument
  /** Exchanges by host. */
  readonly exchanges: ReadonlyMap<Host, number>
  /** In force. */
  readonly grants: readonly Grant[]
  readonly now: number
}

/** The policy without opening hours: an update is judged for the whole week. */
export function withoutHours(policy: PolicyDocument): PolicyDocument {
  return { ...policy, profiles: policy.profiles.map(profile => ({ ...profile, hours: null })) }
}

/** The hosts whose verdict changes for some profile, or for those to whom a grant opens it; most asked first. */
export function compareVerdicts(question: VerdictsQuestion): SeenChange[] {
  const { before, after, policy, exchanges, grants } = question
  const clients = clientsOf(policy)
  const granted = Map.groupBy(grants, grant => grant.host)
  const grantsOf = (host: Host): Grant[] =>
    [...suffixes(host)].flatMap(name => granted.get(name) ?? [])
  const hosts = new Set([...exchanges.keys(), ...granted.keys()])
  const changes = [...hosts].flatMap(host => {
    if (before.categories(host).join() === after.categories(host).join()) return []
    const holders = grantsOf(host).flatMap(grant => holdersOf(grant, policy, before))
    const change = compareHost(question, host, [...clients, ...holders])
    return change === undefined ? [] : [{ ...change, isGranted: grantsOf(host).length > 0 }]
  })
  return changes.sort((a, b) => b.exchanges - a.exchanges || (a.host < b.host ? -1 : 1))
}

const RANK = { allow: 0, warn: 1, block: 2 } as const

function compareHost(
  { before, after, exchanges, now }: VerdictsQuestion,
  host: Host,
  clients: readonly Client[],
): Omit<SeenChange, 'isGranted'> | undefined {
  const target = { host, port: 443 }
  const compared = clients.flatMap(client => {
    const was = decide(before, client, target, now)
    const is = decide(after, client, target, now)
    const effect = effectOf(was, is)
    return effect === undefined ? [] : [{ client, was, is, effect }]
  })
  const first = (['closes', 'opens', 'warns'] as const)
    .map(effect => compared.filter(one => one.effect === effect))
    .find(found => found.length > 0)
  const [head] = first ?? []
  if (first === undefined || head === undefined) return undefined
  const decisive = head.effect === 'opens' ? head.was : head.is
  const category = decisive.action === 'allow' ? undefined : decisive.category
  return {
    host,
    exchanges: exchanges.get(host) ?? 0,
    effect: head.effect,
    profiles: [...new Set(first.map(({ client }) => client.profile))],
    ...(category === undefined ? {} : { category }),
  }
}

function effectOf(was: Verdict, is: Verdict): SeenChange['effect'] | undefined {
  if (RANK[is.action] > RANK[was.action]) return is.action === 'block' ? 'closes' : 'warns'
  return RANK[is.action] < RANK[was.action] ? 'opens' : undefined
}

const NOBODY = '0.0.0.0' as Host

/** One PC of no school per profile that some PC has. */
function clientsOf(policy: PolicyDocument): Client[] {
  const used = policy.sites.flatMap(site => site.rooms.map(room => room.profile))
  return [...new Set([...used, strictestProfile(policy)])].map(profile => ({
    ip: NOBODY,
    site: UNKNOWN_SITE,
    siteName: '',
    room: '',
    profile,
  }))
}

/** PCs that a grant concerns: one per profile at most. */
function holdersOf({ scope }: Grant, policy: PolicyDocument, snapshot: Snapshot): Client[] {
  if (scope.kind === 'pc') return [snapshot.networks(scope.ip)]
  if (scope.kind === 'city') return []
  const site = policy.sites.find(({ uai }) => uai === scope.site)
  const rooms = (site?.rooms ?? []).filter(
    room => scope.kind === 'site' || room.name === scope.room,
  )
  return rooms.map(room => ({
    ip: NOBODY,
    site: scope.site,
    siteName: site?.name ?? '',
    room: room.name,
    profile: room.profile,
  }))
}
