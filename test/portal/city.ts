/** The city of the portal's tests: two schools, rooms of several profiles, and what each host is. */
import { readFileSync } from 'node:fs'
import { createAddressJudge } from '../../src/policy/address.ts'
import type { Catalogue, Category } from '../../src/policy/category.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'
import type { Host } from '../../src/policy/host.ts'
import type { PolicyDocument } from '../../src/policy/policy-document.ts'
import { buildSnapshot, type Snapshot } from '../../src/policy/snapshot.ts'

const CATALOGUE: Catalogue = new Map(
  (
    JSON.parse(
      readFileSync(new URL('../../categories/catalogue.json', import.meta.url), 'utf8'),
    ) as Category[]
  ).map(category => [category.id, category]),
)

/** What the test policy says of each host; any other is in no list. */
const CATEGORIES: Record<string, string[]> = {
  'jeux.example': ['games'],
  'www.jeux.example': ['games'],
  'autre.example': ['games'],
  'adulte.example': ['adult'],
  'blog.example': ['blog'],
}

const POLICY: PolicyDocument = {
  ...DEFAULT_POLICY,
  city: { name: 'Saint-Préau', timeZone: 'Europe/Paris', contact: 'DSI, poste 4242' },
  profiles: [
    ...DEFAULT_POLICY.profiles,
    { ...DEFAULT_POLICY.profiles[0]!, id: 'chosen', mode: 'allow-only' },
    {
      ...DEFAULT_POLICY.profiles[0]!,
      id: 'closed',
      hours: [{ days: ['sun'], from: '08:00', to: '09:00' }],
    },
  ],
  // Tests of pages may come from any address.
  unknown: 'strictest',
  sites: [
    {
      uai: '0750001A',
      name: 'École Jules Ferry',
      rooms: [
        { name: 'Salle 3', profile: 'pupils', networks: ['10.1.3.0/24'] },
        { name: 'CDI', profile: 'chosen', networks: ['10.1.4.0/24'] },
        { name: 'Étude', profile: 'closed', networks: ['10.1.5.0/24'] },
      ],
    },
    {
      uai: '0750002B',
      name: 'École Simone Veil',
      rooms: [{ name: 'Salle 1', profile: 'pupils', networks: ['10.2.0.0/16'] }],
    },
  ],
  rules: [
    {
      host: 'ville.example' as Host,
      action: 'block',
      reason: 'Décision du 3 mars',
      note: 'Plainte d’un parent',
    },
  ],
}

export function citySnapshot(): Snapshot {
  return buildSnapshot({
    policy: POLICY,
    grants: [],
    catalogue: CATALOGUE,
    categories: host => CATEGORIES[host] ?? [],
    addresses: createAddressJudge([]),
  })
}
