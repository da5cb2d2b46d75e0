/** Policies as they are imported: refused with a clear error, or taken, and then every question has an answer. */
import { isDeepStrictEqual } from 'node:util'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { PreauError } from '../../src/errors.ts'
import { createAddressJudge } from '../../src/policy/address.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { diffPolicies } from '../../src/policy/policy-difference.ts'
import { parsePolicy } from '../../src/policy/policy-document.ts'
import { buildSnapshot } from '../../src/policy/snapshot.ts'
import { decide } from '../../src/policy/verdict.ts'
import { measureSelf } from './engine/measure.ts'
import { mutate } from './engine/mutate.ts'
import type { Random } from './engine/random.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

const catalogue = loadCatalogue()
const addresses = createAddressJudge([])
const hosts = ['games.test', 'www.lumni.fr', '10.1.2.3', '::1', 'preau.internal'].map(
  text => parseHost(text) as Host,
)
const clients = ['10.1.1.5', '192.168.1.1', '127.0.0.1', '8.8.8.8', '2001:db8::1', '::1'] as Host[]
const TIMES = [0, Date.UTC(2026, 2, 29, 1, 30), Date.UTC(2026, 11, 31, 23, 59)]

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const RICH: Json = {
  version: 1,
  city: { name: 'Ville', timeZone: 'Europe/Paris', contact: 'DSI' },
  profiles: [
    {
      id: 'pupils',
      label: { fr: 'Élèves', en: 'Pupils' },
      mode: 'allow-only',
      addresses: 'block',
      tunnels: 'any',
      blocked: ['games'],
      warned: ['shopping'],
      hours: [
        { days: ['mon', 'sun'], from: '08:00', to: '24:00' },
        { days: ['sat'], from: '21:00', to: '02:30' },
      ],
    },
  ],
  sites: [
    {
      uai: '0750001A',
      name: 'École',
      rooms: [
        { name: 'Salle 1', profile: 'pupils', networks: ['10.1.0.0/16', '2001:db8::/32'] },
        { name: 'Salle 2', profile: 'pupils', networks: ['10.1.1.0/24', '192.168.1.1'] },
      ],
    },
  ],
  rules: [
    { host: 'lumni.fr', action: 'allow', until: '2026-12-31', site: '0750001A', reason: 'x' },
    { host: 'games.test', action: 'classify', category: 'games', at: '2026-01-01T00:00:00Z' },
    { host: 'bücher.example', action: 'declassify', category: 'games', reason: 'x', by: 'claire' },
  ],
  expressions: ['games'],
}
const SEEDS = [RICH, DEFAULT_POLICY as unknown as Json]

const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  '',
  ' ',
  [],
  {},
  [[]],
  [null],
  { a: 1 },
  '\0',
  '\ud800',
  'x'.repeat(300),
  '__proto__',
  'constructor',
  '0.0.0.0/0',
  '::/0',
  '::ffff:1.2.3.4',
  '10.1.0.0/33',
  '10.1.0.1/16',
  '24:00',
  '00:00',
  '9999-12-31',
  '0000-01-01',
  '2026-02-30',
  'UTC',
  '+05:30',
  '-24:00',
  '2026-01-01T00:00Z',
  '2026-01-01T00:00[Europe/Paris]',
  'Etc/GMT+14',
  '1.2.3',
  'localhost',
  'games',
  'porn',
  'pupils',
  '0750001A',
  'allow-only',
  'classify',
  '*.x.fr',
]

/** Changes one value somewhere in the tree. */
function change(value: Json, random: Random): Json {
  const isInside = typeof value === 'object' && value !== null && !random.oneIn(4)
  if (!isInside) return random.pick(ODD)
  if (Array.isArray(value)) {
    if (value.length === 0 || random.oneIn(5)) return [...value, random.pick(ODD)]
    const at = random.below(value.length)
    if (random.oneIn(5)) return [...value, value[at] ?? null]
    return random.oneIn(6)
      ? value.toSpliced(at, 1)
      : value.with(at, change(value[at] ?? null, random))
  }
  const entries = Object.entries(value)
  const [key = 'x', inner = null] = entries.length === 0 ? [] : random.pick(entries)
  const others = entries.filter(([name]) => name !== key)
  if (random.oneIn(8)) return Object.fromEntries(others)
  if (random.oneIn(10))
    return Object.fromEntries([...entries, [random.pick(['__proto__', 'x', '']), inner]])
  return Object.fromEntries(
    entries.map(([name, old]) => [name, name === key ? change(old, random) : old]),
  )
}

function make(random: Random): Buffer {
  let document = random.pick(SEEDS)
  for (let i = random.below(5); i >= 0; i--) document = change(document, random)
  const text = Buffer.from(JSON.stringify(document))
  if (!random.oneIn(5)) return text
  return mutate(random, {
    seeds: [text],
    words: ['"', '{', '}', '[', ']', ',', ':', 'null', '1e999'],
  })
}

function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

function check(bytes: Buffer): void {
  const input = readJson(bytes)
  let policy
  try {
    policy = parsePolicy(input, catalogue)
  } catch (error) {
    promise(error instanceof PreauError && error.code === 'PREAU_POLICY_INVALID', String(error))
    promise(error.text('fr').length < 2_000, 'an error of more than a screen')
    return
  }
  promise(isDeepStrictEqual(parsePolicy(policy, catalogue), policy), 'what is exported is imported')
  diffPolicies(DEFAULT_POLICY, policy)
  // Pages and the access log write times in the city's zone.
  new Intl.DateTimeFormat('fr', { timeZone: policy.city.timeZone }).format(0)
  const categories = (host: Host) => (host === 'games.test' ? ['games'] : [])
  const snapshot = buildSnapshot({ policy, grants: [], catalogue, categories, addresses })
  for (const ip of clients) {
    const client = snapshot.networks(ip)
    for (const host of hosts)
      for (const now of TIMES) decide(snapshot, client, { host, port: 443, path: '/' }, now)
  }
}

export const policy: FuzzTarget = {
  name: 'policy',
  bounded: 1_500,
  open: async () => ({
    batch: 100,
    make,
    attempt: async inputs => inputs.forEach(check),
    measure: measureSelf,
  }),
}
