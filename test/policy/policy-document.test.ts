import t from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { PreauError } from '../../src/errors.ts'
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

t.test(
  'a wrong policy is refused with the path of the mistake, in the language asked for',
  async t => {
    const policy = aPolicy()
    const [site] = policy.sites
    const [room] = site!.rooms
    const profile = policy.profiles[0]
    const rows: [object, string, RegExp][] = [
      [{ ...policy, version: 2 }, 'version', /attendu : 1, et non 2/],
      [{ ...policy, colour: 'red' }, 'colour', /clé inconnue "colour".*version, city/],
      [{ ...policy, ctiy: {} }, 'ctiy', /vouliez-vous dire « city »/],
      [{ ...policy, city: undefined }, 'city', /manque : un objet/],
      [
        { ...policy, city: { name: 'X', timeZone: 'Mars/Base' } },
        'city.timeZone',
        /fuseau horaire/,
      ],
      [
        { ...policy, city: { name: '', timeZone: 'Europe/Paris' } },
        'city.name',
        /au moins 1 carac/,
      ],
      [
        { ...policy, city: { name: 5, timeZone: 'Europe/Paris' } },
        'city.name',
        /un texte, et non 5/,
      ],
      [{ ...policy, profiles: [] }, 'profiles', /au moins 1 élément/],
      [
        { ...policy, profiles: [{ ...profile, blocked: ['game'] }] },
        'profiles.teachers',
        /catégorie inconnue "game".*vouliez-vous dire « games »/,
      ],
      [
        { ...policy, profiles: [{ ...profile, blocked: ['games'], warned: ['games'] }] },
        'profiles.teachers',
        /à la fois bloquée et avec avertissement/,
      ],
      [
        { ...policy, profiles: [{ ...profile, hours: [{ days: ['lun'], from: '8', to: '9' }] }] },
        'profiles.0.hours.0.days.0 (teachers)',
        /valeur inconnue "lun".*mon, tue/,
      ],
      [
        { ...policy, profiles: [{ ...profile, hours: [{ days: ['mon'], from: '8', to: '9' }] }] },
        'profiles.0.hours.0.from (teachers)',
        /une heure telle que "08:00", et non "8"/,
      ],
      [
        { ...policy, sites: [{ ...site, uai: 'x' }] },
        `sites.0.uai (${site?.name})`,
        /7 chiffres et une lettre/,
      ],
      [{ ...policy, sites: [site, site] }, 'sites', /y figure deux fois/],
      [
        { ...policy, sites: [{ ...site, rooms: [{ ...room, networks: ['10.0.0.0/99'] }] }] },
        `sites.0.rooms.0.networks.0 (${site?.name}, ${room?.name})`,
        /un réseau tel que/,
      ],
      [
        { ...policy, sites: [{ ...site, rooms: [{ ...room, profile: 'pupil' }] }] },
        'sites.0750001A.rooms.Salle 1.profile',
        /profil inconnu "pupil".*« pupils »/,
      ],
      [
        { ...policy, sites: [{ ...site, rooms: [room, { ...room, name: 'B' }] }] },
        'sites.rooms.networks',
        /deux fois/,
      ],
      [
        { ...policy, rules: [{ host: '127.1', action: 'allow' }] },
        'rules.0.host (127.1)',
        /un nom de site ou une adresse, et non "127\.1"/,
      ],
      [
        { ...policy, rules: [{ host: 'a.test', action: 'classify' }] },
        'rules.0.category (a.test)',
        /une catégorie est nécessaire/,
      ],
      [
        { ...policy, rules: [{ host: 'a.test', action: 'allow', site: '0000000Z' }] },
        'rules.a.test',
        /école inconnue/,
      ],
    ]
    for (const [input, path, french] of rows) {
      const error = refusalOf(input)
      t.equal(error.code, 'PREAU_POLICY_INVALID')
      t.equal(error.params['path'], path)
      t.match(error.text('fr').replaceAll('\u202f', ' '), french)
      // One of the keys that may stand there is an English word itself.
      const told = error.text('fr').replace(/clés admises.*/, '')
      t.notMatch(told, /expected|unknown|Invalid|must/i, 'French alone')
      t.notMatch(error.text('en'), /attendu|inconnu|manque/, 'English alone')
    }
    for (const input of [null, 5, 'x', [], undefined]) {
      t.equal(refusalOf(input).params['path'], '(document)')
    }
  },
)

function refusalOf(input: unknown): PreauError {
  try {
    parsePolicy(input, CATALOGUE)
  } catch (error) {
    if (error instanceof PreauError) return error
    throw error
  }
  throw new Error('it was taken')
}

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
