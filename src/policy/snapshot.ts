/** All that a request may read, frozen. A change builds a new snapshot and swaps one reference. */
import type { AddressJudge } from './address.ts'
import type { Catalogue, CategoryLookup, PageLookup } from './category.ts'
import { compileGrants, type Grant, type GrantTable } from './grant.ts'
import type { Host } from './host.ts'
import { compileLocalRules, type LocalRuleTable } from './local-rules.ts'
import { compileNetworks, type NetworkTable, type ProfileId } from './network.ts'
import type { PolicyDocument } from './policy-document.ts'
import { compileProfiles, strictestProfile, type Profile } from './profile.ts'

export interface Snapshot {
  readonly city: PolicyDocument['city']
  /** How many the city has. */
  readonly schools: number
  /** Whether a PC of no network of any school is served. A city without schools knows no PC. */
  readonly servesUnknown: boolean
  readonly networks: NetworkTable
  readonly profiles: ReadonlyMap<ProfileId, Profile>
  readonly rules: LocalRuleTable
  /** What the DSI has opened. */
  readonly grants: GrantTable
  /** The warnings that somebody has read. */
  readonly passed: GrantTable
  readonly catalogue: Catalogue
  readonly categories: CategoryLookup
  readonly pages: PageLookup
  /** The categories in which some page of a host is listed: a hint for whoever decides about the host. */
  readonly hints: CategoryLookup
  readonly addresses: AddressJudge
}

export interface SnapshotParts {
  readonly policy: PolicyDocument
  readonly grants: readonly Grant[]
  readonly catalogue: Catalogue
  readonly categories: CategoryLookup
  /** Absent: no page is listed. */
  readonly pages?: PageLookup
  readonly hints?: CategoryLookup
  readonly addresses: AddressJudge
}

const NONE: readonly string[] = Object.freeze([])

export function buildSnapshot({
  policy,
  grants,
  catalogue,
  categories,
  pages = () => NONE,
  hints = () => NONE,
  addresses,
}: SnapshotParts): Snapshot {
  return Object.freeze({
    city: policy.city,
    schools: policy.sites.length,
    servesUnknown: policy.sites.length === 0 || policy.unknown === 'strictest',
    networks: compileNetworks(policy, strictestProfile(policy)),
    profiles: compileProfiles(policy),
    rules: compileLocalRules(policy),
    ...tablesOf(grants),
    catalogue,
    categories,
    pages,
    hints,
    addresses,
  })
}

/** The same snapshot with other grants: grants change all day, the rest seldom. */
export function withGrants(snapshot: Snapshot, grants: readonly Grant[]): Snapshot {
  return Object.freeze({ ...snapshot, ...tablesOf(grants) })
}

const tablesOf = (grants: readonly Grant[]): Pick<Snapshot, 'grants' | 'passed'> => ({
  grants: compileGrants(grants, 'approved'),
  passed: compileGrants(grants, 'acknowledged'),
})

/** Holds the snapshot in force. Read `snapshot` once per exchange: it changes between two reads. */
export interface Current {
  readonly snapshot: Snapshot
  /** Calls back after each swap; returns the function that stops it. */
  onSwap(listener: () => void): () => void
}

/** The host on which Préau answers for itself (`.internal` is reserved for private use by ICANN, 2024). */
export const OWN_HOST = 'preau.internal' as Host
