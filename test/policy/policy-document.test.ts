import t from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { DEFAULT_POLICY } from '../../src/policy/default-policy.ts'
import { diffPolicies } from '../../src/policy/policy-difference.ts'
import { parsePolicy } from '../../src/policy/policy-document.ts'
import { strictestProfile } from '../../src/policy/profile.ts'
import { aPolicy, CATALOGUE } from '../support/snapshot.ts'

t.test('the policy of a first start is valid and names only real categories', async t => {
  const policy = parsePolicy(DEFAULT_POLICY, loadCatalogue())
  t.strictSame(policy, DEFAULT_POLICY)
  t.strictSame(
    policy.profiles.map(p => p.id),
    ['pupils', 'teachers', 'staff', 'public'],
  )
  t.equal(strictestProfile(policy), 'pupils')
})

t.test('a policy goes out as JSON and comes back the same', async t => {
  const policy = aPolicy({ rules: [{ host: 'ent.test' as never, action: 'allow', reason: 'ENT' }] })
  t.strictSame(parsePolicy(JSON.parse(JSON.stringify(policy)), CATALOGUE), policy)
})

t.test('a wrong policy is refused with the path of the mistake', async t => {
  const policy = aPolicy()
  const [site] = policy.sites
  const [room] = site!.rooms
  const rows: [object, string][] = [
    [{ ...policy, version: 2 }, 'version'],
    [{ ...policy, colour: 'red' }, '(document)'],
    [{ ...policy, city: { name: 'X', timeZone: 'Mars/Base' } }, 'city.timeZone'],
    [{ ...policy, profiles: [] }, 'profiles'],
    [{ ...policy, profiles: [{ ...policy.profiles[0], blocked: ['nope'] }] }, 'profiles.teachers'],
    [
      { ...policy, profiles: [{ ...policy.profiles[0], blocked: ['games'], warned: ['games'] }] },
      'profiles.teachers',
    ],
    [{ ...policy, sites: [{ ...site, uai: 'x' }] }, 'sites.0.uai'],
    [{ ...policy, sites: [site, site] }, 'sites'],
    [
      { ...policy, sites: [{ ...site, rooms: [{ ...room, networks: ['10.0.0.0/99'] }] }] },
      'sites.0.rooms.0.networks.0',
    ],
    [
      { ...policy, sites: [{ ...site, rooms: [{ ...room, profile: 'gods' }] }] },
      'sites.0750001A.rooms.Salle 1.profile',
    ],
    [
      { ...policy, sites: [{ ...site, rooms: [room, { ...room, name: 'B' }] }] },
      'sites.rooms.networks',
    ],
    [{ ...policy, rules: [{ host: '127.1', action: 'allow' }] }, 'rules.0.host'],
    [{ ...policy, rules: [{ host: 'a.test', action: 'allow', site: '0000000Z' }] }, 'rules.a.test'],
  ]
  for (const [input, path] of rows) {
    t.throws(
      () => parsePolicy(input, CATALOGUE),
      { code: 'PREAU_POLICY_INVALID', params: { path } },
      path,
    )
  }
  for (const input of [null, 5, 'x', [], undefined]) {
    t.throws(() => parsePolicy(input, CATALOGUE), { code: 'PREAU_POLICY_INVALID' })
  }
})

t.test('a host of a rule is normalised once, when the policy is read', async t => {
  const policy = parsePolicy(
    { ...aPolicy(), rules: [{ host: 'École.FR.', action: 'allow' }] },
    CATALOGUE,
  )
  t.equal(policy.rules[0]?.host, 'xn--cole-9oa.fr')
})

t.test('the difference of two policies names what comes, what goes and what changes', async t => {
  const before = aPolicy()
  const after = aPolicy({
    city: { ...before.city, name: 'Autreville' },
    sites: before.sites.slice(0, 1),
    rules: [{ host: 'ent.test' as never, action: 'allow' }],
  })
  const differences = diffPolicies(before, after)
  t.match(differences, [
    { path: 'city.name', before: 'Testville', after: 'Autreville' },
    { path: 'sites.0750002B', after: undefined },
    { path: 'rules.ent.test', before: undefined },
  ])
  t.strictSame(diffPolicies(before, aPolicy()), [])
  const rule = { host: 'ent.test' as never, action: 'allow' as const }
  const twice = diffPolicies(
    aPolicy({ rules: [rule] }),
    aPolicy({ rules: [rule, { ...rule, action: 'block' }] }),
  )
  t.match(
    twice,
    [{ path: 'rules.ent.test (2)', before: undefined }],
    'a second rule for the same host is a difference too',
  )
})
