import t from 'tap'
import type { Grant, Scope } from '../../src/policy/grant.ts'
import { CHECKS, decide, explain } from '../../src/policy/verdict.ts'
import { aPolicy, aSnapshot, host, type SnapshotChange } from '../support/snapshot.ts'

const NOW = Date.parse('2026-11-23T10:00:00+01:00') // a Monday

const grant = (name: string, scope: Scope, change: Partial<Grant> = {}): Grant => ({
  id: 'g1',
  host: host(name),
  scope,
  origin: 'approved',
  by: 'alice',
  at: NOW - 1_000,
  until: NOW + 1_000,
  ...change,
})

const passed = (name: string, categories?: readonly string[]): Grant =>
  grant(
    name,
    { kind: 'pc', ip: host('10.1.2.3') },
    { origin: 'acknowledged', ...(categories && { categories }) },
  )

const rule = (name: string, action: 'allow' | 'block', site?: string) => ({
  host: host(name),
  action,
  ...(site ? { site } : {}),
})

interface Row {
  readonly from?: string
  readonly to: string
  readonly port?: number
  readonly with?: SnapshotChange
  readonly gets: object
}

const rows: Record<string, Row> = {
  'a host in no list is allowed': { to: 'free.test', gets: { action: 'allow', reason: 'default' } },
  'Préau answers for its own name itself': {
    to: 'preau.internal',
    gets: { action: 'block', reason: 'own-host', requestable: false },
  },
  'a blocked category is blocked, and may be asked for': {
    to: 'games.test',
    gets: { action: 'block', reason: 'blocked-category', category: 'games', requestable: true },
  },
  'a sub-domain of a listed domain is blocked': {
    to: 'a.b.games.test',
    gets: { reason: 'blocked-category' },
  },
  'a name that only ends alike is not': { to: 'evil-games.test', gets: { action: 'allow' } },
  'a category of information blocks nothing': { to: 'news.test', gets: { action: 'allow' } },
  'a warned category warns, and is no matter for the DSI': {
    to: 'shop.test',
    gets: { action: 'warn', reason: 'warned-category', category: 'shopping', requestable: false },
  },
  'a host both blocked and warned is blocked': {
    to: 'both.test',
    gets: { action: 'block', category: 'games' },
  },
  'what a profile does not name is allowed to it': {
    from: '10.1.9.1',
    to: 'shop.test',
    gets: { action: 'allow' },
  },
  'a PC of no school is not served': {
    from: '8.8.8.8',
    to: 'free.test',
    gets: { action: 'block', reason: 'unknown-network', requestable: false },
  },
  'and no grant opens anything to it': {
    from: '8.8.8.8',
    to: 'free.test',
    with: { grants: [grant('free.test', { kind: 'city' })] },
    gets: { reason: 'unknown-network' },
  },
  'but Préau tells it who it is': {
    from: '8.8.8.8',
    to: 'preau.internal',
    gets: { reason: 'own-host' },
  },
  'a city without schools serves everybody': {
    from: '8.8.8.8',
    to: 'free.test',
    with: { policy: aPolicy({ sites: [] }) },
    gets: { action: 'allow' },
  },
  'where the city serves unknown networks they get the strictest profile': {
    from: '8.8.8.8',
    to: 'shop.test',
    with: { policy: aPolicy({ unknown: 'strictest' }) },
    gets: { action: 'warn' },
  },

  'a never-grantable category is blocked for everybody': {
    from: '10.1.9.1',
    to: 'adult.test',
    gets: { action: 'block', reason: 'never-grantable', category: 'adult', requestable: false },
  },
  'no grant opens a never-grantable category': {
    to: 'adult.test',
    with: { grants: [grant('adult.test', { kind: 'city' })] },
    gets: { reason: 'never-grantable' },
  },
  'no local rule opens a never-grantable category': {
    to: 'adult.test',
    with: { policy: aPolicy({ rules: [rule('adult.test', 'allow')] }) },
    gets: { reason: 'never-grantable' },
  },

  'a private address is refused, and cannot be asked for': {
    to: '192.168.1.1',
    gets: { action: 'block', reason: 'non-public-address', requestable: false },
  },
  'no grant opens a private address': {
    to: '10.0.0.1',
    with: { grants: [grant('10.0.0.1', { kind: 'city' })] },
    gets: { reason: 'non-public-address' },
  },
  'a public address in place of a name is refused to pupils': {
    to: '9.9.9.9',
    gets: { action: 'block', reason: 'address', requestable: true },
  },
  'a public address is allowed where the profile allows addresses': {
    from: '10.1.9.1',
    to: '9.9.9.9',
    gets: { action: 'allow' },
  },
  'an address that the city permits is allowed to pupils too': {
    to: '10.9.9.9',
    with: { allow: ['10.9.0.0/16'] },
    gets: { action: 'allow' },
  },

  'a grant for the PC opens the site to it': {
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'pc', ip: host('10.1.2.3') })] },
    gets: { action: 'allow', reason: 'grant', grant: 'g1' },
  },
  'a grant for the PC opens nothing to its neighbour': {
    from: '10.1.2.4',
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'pc', ip: host('10.1.2.3') })] },
    gets: { reason: 'blocked-category' },
  },
  'a grant for a room opens nothing to the same room of another school': {
    from: '10.2.2.3',
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'room', site: '0750001A', room: 'Salle 1' })] },
    gets: { reason: 'blocked-category' },
  },
  'a grant for a room opens nothing to another room of the school': {
    from: '10.1.9.3',
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'room', site: '0750001A', room: 'Salle 1' })] },
    gets: { reason: 'blocked-category' },
  },
  'a grant for a school opens the site to all its rooms': {
    from: '10.1.9.3',
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'site', site: '0750001A' })] },
    gets: { reason: 'grant' },
  },
  'a grant for a school does not open the site to another school': {
    from: '10.2.2.3',
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'site', site: '0750001A' })] },
    gets: { reason: 'blocked-category' },
  },
  'a grant for the city opens the site to every school': {
    from: '10.2.2.3',
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'city' })] },
    gets: { reason: 'grant' },
  },
  'a grant covers the sub-domains of its host': {
    to: 'static.games.test',
    with: { grants: [grant('games.test', { kind: 'city' })] },
    gets: { reason: 'grant' },
  },
  'a grant for a sub-domain does not open its parent': {
    to: 'games.test',
    with: { grants: [grant('www.games.test', { kind: 'city' })] },
    gets: { reason: 'blocked-category' },
  },
  'a grant is over at its very last millisecond': {
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'city' }, { until: NOW })] },
    gets: { reason: 'blocked-category' },
  },
  'a grant for good has no end': {
    to: 'games.test',
    with: { grants: [grant('games.test', { kind: 'city' }, { until: null })] },
    gets: { reason: 'grant' },
  },
  'a revoked grant opens nothing': {
    to: 'games.test',
    with: {
      grants: [
        grant('games.test', { kind: 'city' }, { until: null, endedAt: NOW - 1, endedBy: 'bob' }),
      ],
    },
    gets: { reason: 'blocked-category' },
  },
  'a grant passes over a local block': {
    to: 'free.test',
    with: {
      grants: [grant('free.test', { kind: 'city' })],
      policy: aPolicy({ rules: [rule('free.test', 'block')] }),
    },
    gets: { reason: 'grant' },
  },

  'a grant opens no sub-domain that a list closes by its own name': {
    to: 'www.games.test',
    with: { grants: [grant('test', { kind: 'city' })] },
    gets: { action: 'block', reason: 'blocked-category', category: 'games', requestable: true },
  },
  'nor one that a rule closes by its own name': {
    to: 'www.chat.free.test',
    with: {
      grants: [grant('free.test', { kind: 'city' })],
      policy: aPolicy({ rules: [rule('chat.free.test', 'block')] }),
    },
    gets: { action: 'block', reason: 'local-block', requestable: true },
  },
  'unless the DSI opened these too, being told': {
    to: 'www.games.test',
    with: { grants: [grant('test', { kind: 'city' }, { opensNarrower: true })] },
    gets: { reason: 'grant' },
  },
  'a local allow opens no sub-domain that a list closes by its own name': {
    to: 'games.test',
    with: { policy: aPolicy({ rules: [rule('test', 'allow')] }) },
    gets: { action: 'block', reason: 'blocked-category', category: 'games' },
  },
  'but what is opened by its own name is open, under a wide grant too': {
    to: 'www.games.test',
    with: {
      grants: [grant('test', { kind: 'city' })],
      policy: aPolicy({ rules: [rule('games.test', 'allow')] }),
    },
    gets: { action: 'allow' },
  },
  'a warning that was read takes away that warning': {
    to: 'www.shop.test',
    with: { grants: [passed('shop.test', ['shopping'])] },
    gets: { action: 'allow', reason: 'grant', grant: 'g1' },
  },
  'and that of a record from before, which names no category': {
    to: 'shop.test',
    with: { grants: [passed('shop.test')] },
    gets: { action: 'allow', reason: 'grant' },
  },
  'but not that of another category': {
    to: 'shop.test',
    with: { grants: [passed('test', ['press'])] },
    gets: { action: 'warn', reason: 'warned-category' },
  },
  'nor does it open a blocked category below it': {
    to: 'games.test',
    with: { grants: [passed('test')] },
    gets: { action: 'block', reason: 'blocked-category' },
  },
  'nor what the city’s own rule closes': {
    to: 'chat.shop.test',
    with: {
      grants: [passed('shop.test', ['shopping'])],
      policy: aPolicy({ rules: [rule('chat.shop.test', 'block')] }),
    },
    gets: { action: 'block', reason: 'local-block' },
  },

  'a local allow opens a blocked category': {
    to: 'games.test',
    with: { policy: aPolicy({ rules: [rule('games.test', 'allow')] }) },
    gets: { action: 'allow', reason: 'local-allow' },
  },
  'a local block closes a site of no list': {
    to: 'www.free.test',
    with: { policy: aPolicy({ rules: [rule('free.test', 'block')] }) },
    gets: { action: 'block', reason: 'local-block', requestable: true },
  },
  'the local rule of the narrowest host wins': {
    to: 'kids.games.test',
    with: {
      policy: aPolicy({ rules: [rule('games.test', 'block'), rule('kids.games.test', 'allow')] }),
    },
    gets: { reason: 'local-allow' },
  },
  'for the same host a local block wins over a local allow': {
    to: 'free.test',
    with: { policy: aPolicy({ rules: [rule('free.test', 'allow'), rule('free.test', 'block')] }) },
    gets: { reason: 'local-block' },
  },
  'a local rule of a school concerns that school only': {
    from: '10.2.2.3',
    to: 'games.test',
    with: { policy: aPolicy({ rules: [rule('games.test', 'allow', '0750001A')] }) },
    gets: { reason: 'blocked-category' },
  },
}

const withPupils = (change: object) => {
  const policy = aPolicy()
  return {
    policy: {
      ...policy,
      profiles: policy.profiles.map(p => (p.id === 'pupils' ? { ...p, ...change } : p)),
    },
  }
}

const weekdays = [{ days: ['mon' as const], from: '08:00', to: '10:00' }]
const more: Record<string, Row> = {
  'a warning that was read opens nothing after closing time': {
    to: 'shop.test',
    with: { ...withPupils({ hours: weekdays }), grants: [passed('shop.test', ['shopping'])] },
    gets: { action: 'block', reason: 'closed-hours' },
  },
  'outside the opening hours everything is refused': {
    to: 'free.test',
    with: withPupils({ hours: weekdays }),
    gets: { action: 'block', reason: 'closed-hours', requestable: true },
  },
  'a local allow is open at all hours': {
    to: 'free.test',
    with: {
      policy: { ...withPupils({ hours: weekdays }).policy, rules: [rule('free.test', 'allow')] },
    },
    gets: { reason: 'local-allow' },
  },
  'in allow-only mode a site of no list is refused': {
    to: 'free.test',
    with: withPupils({ mode: 'allow-only' }),
    gets: { action: 'block', reason: 'allow-only', requestable: true },
  },
  'in allow-only mode a local allow is open': {
    to: 'www.free.test',
    with: {
      policy: { ...withPupils({ mode: 'allow-only' }).policy, rules: [rule('free.test', 'allow')] },
    },
    gets: { reason: 'local-allow' },
  },
}

for (const [name, { from = '10.1.2.3', to, port = 443, with: change, gets }] of Object.entries({
  ...rows,
  ...more,
})) {
  t.test(name, async t => {
    const snapshot = aSnapshot(change)
    const client = snapshot.networks(host(from))
    const target = { host: host(to), port }
    t.match(decide(snapshot, client, target, NOW), gets)
    const answers = explain(snapshot, client, target, NOW)
    t.strictSame(
      answers.find(answer => answer.verdict)?.verdict,
      decide(snapshot, client, target, NOW),
      'explain says what decide says',
    )
  })
}

t.test('the order of the checks is the policy', async t => {
  t.strictSame(
    CHECKS.map(check => check.id),
    [
      'own-host',
      'unknown-network',
      'never-grantable',
      'non-public-address',
      'wrapped-site',
      'narrower-block',
      'grant',
      'local-allow',
      'local-block',
      'closed-hours',
      'address',
      'allow-only',
      'blocked-category',
      'warned-category',
    ],
  )
})

t.test('explain answers for every check, also those after the one that decides', async t => {
  const snapshot = aSnapshot({ grants: [grant('games.test', { kind: 'city' })] })
  const answers = explain(
    snapshot,
    snapshot.networks(host('10.1.2.3')),
    { host: host('games.test'), port: 443 },
    NOW,
  )
  t.equal(answers.length, CHECKS.length + 1)
  t.equal(answers.find(answer => answer.check === 'grant')?.verdict?.action, 'allow')
  t.equal(answers.find(answer => answer.check === 'blocked-category')?.verdict?.action, 'block')
})
