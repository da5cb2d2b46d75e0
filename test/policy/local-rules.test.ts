import t from 'tap'
import { addRule, removeRule, ruleKey } from '../../src/policy/edit-rules.ts'
import { parsePolicy, type LocalRule } from '../../src/policy/policy-document.ts'
import { decide } from '../../src/policy/verdict.ts'
import { aPolicy, aSnapshot, CATALOGUE, host } from '../support/snapshot.ts'

const NOON = Date.UTC(2026, 10, 24, 11)
const PUPIL = '10.1.0.5'
const OTHER_SCHOOL = '10.2.0.5'

function verdictFor(rules: readonly LocalRule[], name: string, ip = PUPIL, now = NOON) {
  const snapshot = aSnapshot({ policy: aPolicy({ rules: [...rules] }) })
  return decide(snapshot, snapshot.networks(host(ip)), { host: host(name), port: 443 }, now)
}

t.test('a rule opens or closes a site and its sub-domains', async t => {
  const open: LocalRule = { host: host('games.test'), action: 'allow' }
  t.match(verdictFor([open], 'www.games.test'), { action: 'allow', reason: 'local-allow' })
  const close: LocalRule = { host: host('free.test'), action: 'block' }
  t.match(verdictFor([close], 'www.free.test'), { action: 'block', reason: 'local-block' })
})

t.test('the narrowest host wins, and for the same host a block', async t => {
  const rules: LocalRule[] = [
    { host: host('site.test'), action: 'block' },
    { host: host('cours.site.test'), action: 'allow' },
  ]
  t.equal(verdictFor(rules, 'cours.site.test').action, 'allow')
  t.equal(verdictFor(rules, 'www.site.test').action, 'block')
  const both: LocalRule[] = [
    { host: host('site.test'), action: 'allow' },
    { host: host('site.test'), action: 'block' },
  ]
  t.equal(verdictFor(both, 'site.test').action, 'block')
})

t.test('of rules for a site and for its parent each pair has one answer', async t => {
  const none: LocalRule['action'][] = []
  const states = { none, allow: ['allow'], block: ['block'], both: ['allow', 'block'] } as const
  const decided = {
    none: undefined,
    allow: 'local-allow',
    block: 'local-block',
    both: 'local-block',
  }
  for (const [own, ownActions] of Object.entries(states)) {
    for (const [parent, parentActions] of Object.entries(states)) {
      const rules: LocalRule[] = [
        ...parentActions.map(action => ({ host: host('games.test'), action })),
        ...ownActions.map(action => ({ host: host('a.games.test'), action })),
      ]
      const expected =
        decided[own as keyof typeof decided] ??
        decided[parent as keyof typeof decided] ??
        'blocked-category'
      for (const order of [rules, rules.toReversed()])
        t.equal(verdictFor(order, 'a.games.test').reason, expected, `a.b: ${own}, b: ${parent}`)
    }
  }
})

t.test('a school’s own rule comes before the city’s, in that school only', async t => {
  const rules: LocalRule[] = [
    { host: host('site.test'), action: 'block' },
    { host: host('site.test'), action: 'allow', site: '0750001A' },
  ]
  t.equal(verdictFor(rules, 'site.test', PUPIL).action, 'allow')
  t.equal(verdictFor(rules, 'site.test', OTHER_SCHOOL).action, 'block')
})

t.test('a rule acts through its last day in the city’s own time, and no longer', async t => {
  const rule: LocalRule = { host: host('games.test'), action: 'allow', until: '2026-11-24' }
  // Paris is one hour ahead of UTC in November.
  t.equal(verdictFor([rule], 'games.test', PUPIL, Date.UTC(2026, 10, 24, 22, 59)).action, 'allow')
  t.equal(verdictFor([rule], 'games.test', PUPIL, Date.UTC(2026, 10, 24, 23, 0)).action, 'block')
})

t.test('the DSI corrects what the lists say of a site', async t => {
  const into: LocalRule = { host: host('new.test'), action: 'classify', category: 'games' }
  t.match(verdictFor([into], 'www.new.test'), { action: 'block', category: 'games' })
  const out = { host: host('games.test'), action: 'declassify', category: 'games' } as const
  t.equal(verdictFor([{ ...out, reason: 'chess club' }], 'games.test').action, 'allow')
  t.equal(
    verdictFor([{ ...out, reason: 'chess club', site: '0750002B' }], 'games.test').action,
    'block',
    'in one school only',
  )
})

t.test('opening never opens a forbidden category; taking the site out of it does', async t => {
  const open: LocalRule = { host: host('adult.test'), action: 'allow' }
  t.equal(verdictFor([open], 'adult.test').action, 'block')
  const out = { action: 'declassify', category: 'adult', reason: 'wrongly listed' } as const
  t.equal(verdictFor([{ host: host('adult.test'), ...out }], 'adult.test').action, 'allow')
})

t.test('a correction without category or without reason, or an odd date, is refused', async t => {
  const rows = [
    { action: 'classify' },
    { action: 'declassify', category: 'games' },
    { action: 'allow', category: 'games' },
    { action: 'classify', category: 'nothing' },
    { action: 'allow', until: '31/12/2026' },
    { action: 'allow', until: '2026-02-30' },
  ]
  for (const row of rows) {
    const policy = { ...aPolicy(), rules: [{ host: 'site.test', ...row }] }
    t.throws(
      () => parsePolicy(policy, CATALOGUE),
      { code: 'PREAU_POLICY_INVALID' },
      JSON.stringify(row),
    )
  }
})

t.test('a rule is added once, replaced by its like, and removed by what it says', async t => {
  const rule: LocalRule = { host: host('site.test'), action: 'block', reason: 'a' }
  const once = addRule(aPolicy(), rule)
  const again = addRule(once, { ...rule, reason: 'b' })
  t.same(again.rules, [{ ...rule, reason: 'b' }])
  t.same(removeRule(again, ruleKey(rule)).rules, [])
  t.throws(() => removeRule(aPolicy(), ruleKey(rule)), { code: 'PREAU_NOT_FOUND' })
})

t.test('a listed page closes that page over plain HTTP, and says that it is the page', async t => {
  const snapshot = aSnapshot()
  const pages = (_host: string, path: string | undefined) =>
    path?.startsWith('/jeux') ? ['games'] : []
  const withPages = { ...snapshot, pages }
  const client = snapshot.networks(host(PUPIL))
  const judge = (name: string, path?: string) =>
    decide(
      withPages,
      client,
      { host: host(name), port: 80, ...(path === undefined ? {} : { path }) },
      NOON,
    )
  t.match(judge('free.test', '/jeux/1'), { action: 'block', category: 'games', listed: 'page' })
  t.equal(judge('free.test', '/cours').action, 'allow')
  t.equal(judge('free.test').action, 'allow', 'where the path is hidden the site stays open')
  t.notOk('listed' in judge('games.test', '/jeux'), 'the whole site is listed anyway')
})
