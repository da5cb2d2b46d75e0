/** A small city for tests: two schools, four profiles, a few categorised hosts. */
import { createAddressJudge, parseCidr } from '../../src/policy/address.ts'
import type { Catalogue, CategoryLookup, Severity } from '../../src/policy/category.ts'
import type { Grant } from '../../src/policy/grant.ts'
import { parseHost, suffixes, type Host } from '../../src/policy/host.ts'
import type { PolicyDocument, ProfileDocument } from '../../src/policy/policy-document.ts'
import { buildSnapshot, type Current, type Snapshot } from '../../src/policy/snapshot.ts'

export function host(text: string): Host {
  const parsed = parseHost(text)
  if (parsed === undefined) throw new TypeError(`not a host: ${text}`)
  return parsed
}

const severities: Record<string, Severity> = {
  adult: 'never',
  games: 'blockable',
  social_networks: 'blockable',
  shopping: 'warnable',
  press: 'informative',
}

export const CATALOGUE: Catalogue = new Map(
  Object.entries(severities).map(([id, severity]) => [
    id,
    {
      id,
      severity,
      label: { fr: `${id} (fr)`, en: `${id} (en)` },
      description: { fr: `Des ${id}.`, en: `Some ${id}.` },
    },
  ]),
)

const CATEGORISED: Record<string, string[]> = {
  'adult.test': ['adult'],
  'games.test': ['games'],
  'shop.test': ['shopping'],
  'news.test': ['press'],
  'both.test': ['games', 'shopping'],
}

export const lookup: CategoryLookup = asked => [
  ...new Set([...suffixes(asked)].flatMap(name => CATEGORISED[name] ?? [])),
]

const profile = (id: string, rest: Partial<ProfileDocument>): ProfileDocument => ({
  id,
  label: { fr: id, en: id },
  mode: 'open',
  tunnels: 'tls',
  webSockets: 'allow',
  addresses: 'allow',
  blocked: [],
  warned: [],
  hours: null,
  ...rest,
})

export function aPolicy(change: Partial<PolicyDocument> = {}): PolicyDocument {
  return {
    version: 1,
    city: { name: 'Testville', timeZone: 'Europe/Paris', contact: 'dsi@testville.test' },
    profiles: [
      profile('teachers', { blocked: ['games'] }),
      profile('pupils', {
        blocked: ['games', 'social_networks'],
        warned: ['shopping'],
        addresses: 'block',
      }),
    ],
    sites: [
      {
        uai: '0750001A',
        name: 'École Jean-Moulin',
        rooms: [
          { name: 'Salle 1', profile: 'pupils', networks: ['10.1.0.0/16', '127.0.0.0/8'] },
          { name: 'Salle des maîtres', profile: 'teachers', networks: ['10.1.9.0/24'] },
        ],
      },
      {
        uai: '0750002B',
        name: 'École Rosa-Parks',
        rooms: [{ name: 'Salle 1', profile: 'pupils', networks: ['10.2.0.0/16'] }],
      },
    ],
    rules: [],
    expressions: [],
    ...change,
  }
}

export interface SnapshotChange {
  readonly policy?: PolicyDocument
  readonly grants?: readonly Grant[]
  readonly categories?: CategoryLookup
  /** CIDRs of `dial.allow`. */
  readonly allow?: readonly string[]
}

export function aSnapshot({
  policy = aPolicy(),
  grants = [],
  categories = lookup,
  allow = [],
}: SnapshotChange = {}): Snapshot {
  const addresses = createAddressJudge(allow.flatMap(text => parseCidr(text) ?? []))
  return buildSnapshot({ policy, grants, catalogue: CATALOGUE, categories, addresses })
}

/** A holder whose snapshot a test swaps. */
export interface Swappable extends Current {
  swap(next: Snapshot): void
}

export function aCurrent(first: Snapshot): Swappable {
  let snapshot = first
  const listeners = new Set<() => void>()
  return {
    get snapshot() {
      return snapshot
    },
    onSwap(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    swap(next) {
      snapshot = next
      for (const listener of listeners) listener()
    },
  }
}
