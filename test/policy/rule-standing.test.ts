import t from 'tap'
import type { Grant } from '../../src/policy/grant.ts'
import type { LocalRule } from '../../src/policy/policy-document.ts'
import { judgeRules } from '../../src/policy/rule-standing.ts'
import { CHECKS, decide } from '../../src/policy/verdict.ts'
import { aPolicy, aSnapshot, host } from '../support/snapshot.ts'

const NOW = Date.UTC(2026, 10, 24, 11)
const SCHOOL = '0750001A'

const rule = (name: string, action: LocalRule['action'], rest: Partial<LocalRule> = {}) => ({
  host: host(name),
  action,
  ...rest,
})

function standingOf(rules: readonly LocalRule[], index = 0, grants: readonly Grant[] = []) {
  const policy = aPolicy({ rules: [...rules] })
  const snapshot = aSnapshot({ policy })
  const asked = rules[index]
  if (asked === undefined) throw new TypeError('no such rule')
  return judgeRules({ policy, snapshot, grants, now: NOW }, [asked])(asked)
}

t.test('a rule that opens or closes a site acts', async t => {
  for (const action of ['allow', 'block'] as const)
    for (const name of ['games.test', 'free.test', 'shop.test'])
      t.same(standingOf([rule(name, action)]), { acts: 'everywhere', winners: [] }, name)
})

t.test('nothing opens what is never grantable, and the check that decides is named', async t => {
  t.same(standingOf([rule('adult.test', 'allow')]), {
    acts: 'nowhere',
    winners: [{ check: 'never-grantable', category: 'adult', profiles: [] }],
  })
  t.match(standingOf([rule('www.adult.test', 'allow')]).acts, 'nowhere', 'nor a part of it')
  t.match(standingOf([rule('10.0.0.1', 'allow')]).winners, [{ check: 'non-public-address' }])
  t.match(standingOf([rule('preau.internal', 'allow')]).winners, [{ check: 'own-host' }])
})

t.test('of two contrary rules one is in force, whichever was written first', async t => {
  const [open, close] = [rule('a.test', 'allow'), rule('a.test', 'block')]
  for (const rules of [
    [open, close],
    [close, open],
  ]) {
    t.match(standingOf(rules, rules.indexOf(open)), { acts: 'nowhere', winners: [{ rule: close }] })
    t.match(standingOf(rules, rules.indexOf(close)), { acts: 'everywhere' })
  }
})

t.test('the rule of a school takes its part from the one of the city', async t => {
  const [open, close] = [rule('a.test', 'allow'), rule('a.test', 'block', { site: SCHOOL })]
  const city = standingOf([open, close])
  t.match(city, { acts: 'partly', winners: [{ check: 'local-block', rule: close }] })
  t.match(standingOf([open, close], 1), { acts: 'everywhere' })
})

t.test('a rule for a part of the site is an exception, and takes nothing', async t => {
  const rules = [rule('a.test', 'block'), rule('cours.a.test', 'allow')]
  for (const index of [0, 1]) t.equal(standingOf(rules, index).acts, 'everywhere')
})

t.test('what a person has opened is open, whatever a rule says', async t => {
  const grant = (scope: Grant['scope'], until: number | null = null): Grant => ({
    id: 'g',
    host: host('a.test'),
    scope,
    origin: 'approved',
    by: 'Claire',
    at: NOW,
    until,
  })
  const close = [rule('a.test', 'block')]
  const pc = grant({ kind: 'pc', ip: host('10.1.0.5') })
  t.match(standingOf(close, 0, [pc]), { acts: 'partly', winners: [{ check: 'grant', grant: pc }] })
  t.match(standingOf(close, 0, [grant({ kind: 'city' })]), { acts: 'nowhere' })
  t.match(standingOf(close, 0, [grant({ kind: 'city' }, NOW)]), { acts: 'everywhere' }, 'over')
  const part = [rule('www.a.test', 'block')]
  t.equal(standingOf(part, 0, [pc]).acts, 'everywhere', 'a part of it may be closed')
  const whole = { ...pc, opensNarrower: true }
  t.match(standingOf(part, 0, [whole]), { acts: 'partly' }, 'unless it opens that too')
  const there = [rule('a.test', 'block', { site: '0750002B' })]
  t.equal(standingOf(there, 0, [grant({ kind: 'site', site: SCHOOL })]).acts, 'everywhere')
})

t.test('a correction that changes no verdict is said to be idle, and why', async t => {
  const into = (name: string, category: string) => rule(name, 'classify', { category })
  const out = (name: string, category: string) => rule(name, 'declassify', { category, note: 'x' })
  t.equal(standingOf([into('free.test', 'games')]).acts, 'everywhere')
  t.equal(standingOf([out('games.test', 'games')]).acts, 'everywhere')
  t.match(standingOf([into('games.test', 'games')]).winners, [{ check: 'already' }])
  t.match(standingOf([out('free.test', 'games')]).winners, [{ check: 'already' }])
  t.match(standingOf([into('free.test', 'press')]).winners, [{ check: 'default' }])
  t.equal(standingOf([into('free.test', 'shopping')]).acts, 'partly', 'teachers are not warned')
  const opened = [into('free.test', 'games'), rule('free.test', 'allow')]
  t.match(standingOf(opened), { acts: 'nowhere', winners: [{ check: 'local-allow' }] })
  t.equal(standingOf([out('adult.test', 'adult')]).acts, 'everywhere')
})

t.test('a rule past its last day has ended', async t => {
  t.equal(standingOf([rule('a.test', 'block', { until: '2026-11-23' })]).acts, 'ended')
  t.equal(standingOf([rule('a.test', 'block', { until: '2026-11-24' })]).acts, 'everywhere')
})

t.test(
  'what is said of a rule is what is decided, for every site, pair of rules and profile',
  async t => {
    const names = [
      'games.test',
      'free.test',
      'adult.test',
      'both.test',
      '192.0.2.1',
      'preau.internal',
    ]
    const local = new Set(['local-allow', 'local-block'])
    t.ok(CHECKS.some(({ id }) => local.has(id)))
    for (const name of names) {
      for (const action of ['allow', 'block'] as const) {
        for (const other of [[], [rule(name, 'block')], [rule(name, 'allow', { site: SCHOOL })]]) {
          const rules = [rule(name, action), ...other]
          const policy = aPolicy({ rules })
          const snapshot = aSnapshot({ policy })
          const verdicts = ['10.1.0.5', '10.1.9.5', '10.2.0.5'].map(ip => {
            const client = snapshot.networks(host(ip))
            const target = { host: host(name), port: 443 }
            const { reason } = decide(snapshot, client, target, NOW)
            return (
              local.has(reason) && snapshot.rules.deciding(target.host, client, NOW) === rules[0]
            )
          })
          const expected = verdicts.every(Boolean)
            ? 'everywhere'
            : verdicts.some(Boolean)
              ? 'partly'
              : 'nowhere'
          const told = standingOf(rules).acts
          t.equal(told, expected, `${name} ${action} beside ${JSON.stringify(other)}`)
        }
      }
    }
  },
)
