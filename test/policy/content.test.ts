/** What an allowed connection may carry: TLS alone on port 443, unless the profile or the rule of that very host says more. */
import t from 'tap'
import { mayCarry, tunnelOpener } from '../../src/policy/content.ts'
import {
  parsePolicy,
  type LocalRule,
  type PolicyDocument,
} from '../../src/policy/policy-document.ts'
import { decide } from '../../src/policy/verdict.ts'
import { aPolicy, aSnapshot, CATALOGUE, host } from '../support/snapshot.ts'

const NOON = Date.UTC(2026, 10, 24, 11)
const PUPIL = '10.1.0.5'
const OTHER_SCHOOL = '10.2.0.5'
const ANY: LocalRule = { host: host('turn.test'), action: 'allow', tunnels: 'any' }

interface Asked {
  readonly ip?: string
  readonly now?: number
  readonly port?: number
  readonly policy?: Partial<PolicyDocument>
}

function carriesOther(name: string, rules: readonly LocalRule[], asked: Asked = {}): boolean {
  const { ip = PUPIL, now = NOON, port = 443, policy = {} } = asked
  const snapshot = aSnapshot({ policy: aPolicy({ ...policy, rules: [...rules] }) })
  const client = snapshot.networks(host(ip))
  return mayCarry('not-tls', snapshot, client, { host: host(name), port }, now)
}

t.test(
  'a rule lets its host and what is below it carry anything, and nothing beside it',
  async t => {
    t.ok(carriesOther('turn.test', [ANY]))
    t.ok(carriesOther('eu.turn.test', [ANY]))
    for (const name of ['test', 'free.test', 'turn.test.free.test', 'xturn.test'])
      t.notOk(carriesOther(name, [ANY]), name)
    t.notOk(carriesOther('turn.test', [{ ...ANY, tunnels: undefined }]), 'an open site is for TLS')
  },
)

t.test(
  'the rule that decides is the one that says it: narrower, of the school, in its time',
  async t => {
    const narrower: LocalRule = { host: host('www.turn.test'), action: 'allow' }
    t.notOk(carriesOther('www.turn.test', [ANY, narrower]))
    t.ok(carriesOther('eu.turn.test', [ANY, narrower]))
    const ofSchool: LocalRule = { ...ANY, site: '0750001A' }
    t.ok(carriesOther('turn.test', [ofSchool]))
    t.notOk(carriesOther('turn.test', [ofSchool], { ip: OTHER_SCHOOL }))
    t.notOk(
      carriesOther('turn.test', [
        ANY,
        { host: host('turn.test'), action: 'allow', site: '0750001A' },
      ]),
      'a school may say less for itself',
    )
    const ended = { ...ANY, until: '2026-11-23' }
    t.notOk(carriesOther('turn.test', [ended]))
    t.ok(carriesOther('turn.test', [ended], { now: Date.UTC(2026, 10, 23, 11) }))
  },
)

t.test('it opens nothing that is closed: what decides before it goes on deciding', async t => {
  const rules: LocalRule[] = [
    { host: host('adult.test'), action: 'allow', tunnels: 'any' },
    ANY,
    { host: host('eu.turn.test'), action: 'block' },
  ]
  const snapshot = aSnapshot({ policy: aPolicy({ rules }) })
  const client = snapshot.networks(host(PUPIL))
  for (const name of ['adult.test', 'eu.turn.test'])
    t.equal(decide(snapshot, client, { host: host(name), port: 443 }, NOON).action, 'block', name)
  t.equal(
    tunnelOpener(snapshot, client, { host: host('eu.turn.test'), port: 443 }, NOON),
    undefined,
  )
})

t.test('on other ports nobody asks; a profile says it for all of its hosts', async t => {
  t.ok(carriesOther('free.test', [], { port: 8443 }))
  const profiles = aPolicy().profiles.map(one => ({ ...one, tunnels: 'any' as const }))
  t.ok(carriesOther('free.test', [], { policy: { profiles } }))
})

t.test('only a rule that opens a site may say it, and nothing but `any`', async t => {
  const broken: readonly object[] = [
    { host: 'a.test', action: 'block', tunnels: 'any' },
    { host: 'a.test', action: 'classify', category: 'games', tunnels: 'any' },
    { host: 'a.test', action: 'allow', tunnels: 'tls' },
  ]
  for (const rule of broken)
    t.throws(() => parsePolicy({ ...aPolicy(), rules: [rule] }, CATALOGUE), {
      code: 'PREAU_POLICY_INVALID',
    })
  const rule = { host: 'a.test', action: 'allow', tunnels: 'any' }
  t.match(parsePolicy({ ...aPolicy(), rules: [rule] }, CATALOGUE).rules, [rule])
})
