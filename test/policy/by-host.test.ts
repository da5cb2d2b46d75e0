import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import * as fc from 'fast-check'
import { compileGrants, opensFor, type Grant } from '../../src/policy/grant.ts'
import type { Host } from '../../src/policy/host.ts'
import { compileLocalRules } from '../../src/policy/local-rules.ts'
import type { LocalRule } from '../../src/policy/policy-document.ts'
import { endOfDate } from '../../src/policy/schedule.ts'
import { aPolicy, aSnapshot, host } from '../support/snapshot.ts'

const NOW = Date.UTC(2026, 10, 24, 11)
const SITES = ['0750001A', '0750002B'] as const
const { networks } = aSnapshot()
const anyClient = fc
  .constantFrom('10.1.0.5', '10.1.9.5', '10.2.0.5', '8.8.8.8')
  .map(ip => networks(host(ip)))

const anyAddress = fc.constantFrom('1.2.3.4', '2.3.4.5', '::1', '2001:db8::a').map(host)
const label = fc.constantFrom('a', 'b', 'ab', 'a-longer-label')

/** Few labels, so that hosts meet: the same, a parent, one that only ends alike. */
const hostOf = (maxLength: number) =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc.array(label, { minLength: 1, maxLength }).map(all => host(all.join('.'))),
    },
    anyAddress,
  )
const anyHost = hostOf(2)
const anyAsked = hostOf(4)

/** What the by-host look-up must say, without an index: the items that cover a host, the narrowest first. */
function covering<T extends { readonly host: Host }>(items: readonly T[], asked: Host): T[] {
  return items
    .filter(item => asked === item.host || asked.endsWith(`.${item.host}`))
    .toSorted((a, b) => b.host.length - a.host.length)
}

const anyGrant: fc.Arbitrary<Grant> = fc.record({
  id: fc.uuid(),
  host: anyHost,
  scope: fc.oneof(
    fc.constant({ kind: 'city' as const }),
    fc.constantFrom(...SITES).map(site => ({ kind: 'site' as const, site })),
    fc.constant({ kind: 'room' as const, site: SITES[0], room: 'Salle 1' }),
    fc.constant({ kind: 'pc' as const, ip: host('10.2.0.5') }),
  ),
  origin: fc.constant('approved'),
  by: fc.constant('dsi'),
  at: fc.constant(0),
  until: fc.constantFrom(null, NOW - 1, NOW, NOW + 1),
})

t.test('whatever is open, the narrowest grant that covers the PC is found, or none', async t => {
  let found = 0
  fc.assert(
    fc.property(
      fc.array(anyGrant, { minLength: 1, maxLength: 20, size: 'max' }),
      anyAsked,
      anyClient,
      (grants, asked, client) => {
        const expected = covering(grants, asked).find(grant => opensFor(grant, client, NOW))
        if (expected !== undefined) found++
        return compileGrants(grants, 'approved')(asked, client, NOW) === expected
      },
    ),
    { numRuns: 2_000 },
  )
  t.ok(found > 100, `the property is not empty: ${found} found`)
})

const anyRule: fc.Arbitrary<LocalRule> = fc
  .record({
    host: anyHost,
    what: fc.oneof(
      fc.constantFrom('allow', 'block').map(action => ({ action }) as const),
      fc.record({
        action: fc.constantFrom('classify', 'declassify'),
        category: fc.constantFrom('games', 'press'),
      }),
    ),
    whose: fc.constantFrom({}, ...SITES.map(site => ({ site }))),
    end: fc.constantFrom({}, { until: '2026-11-23' }, { until: '2026-11-24' }),
  })
  .map(({ host: of, what, whose, end }) => ({ host: of, ...what, ...whose, ...end }))

/** The narrowest host first, then the school's own, then the stricter one. */
function acting(rules: readonly LocalRule[], asked: Host, site: string): LocalRule[] {
  const isLax = ({ action }: LocalRule) => action === 'allow' || action === 'declassify'
  const rank = (rule: LocalRule) => (rule.site === undefined ? 2 : 0) + (isLax(rule) ? 1 : 0)
  const inForce = rules
    .filter(rule => rule.site === undefined || rule.site === site)
    .filter(({ until }) => until === undefined || NOW < endOfDate(until, 'Europe/Paris'))
  return covering(
    inForce.toSorted((a, b) => rank(a) - rank(b)),
    asked,
  )
}

function corrected(rules: readonly LocalRule[], listed: readonly string[]): string[] {
  const first = (category: string) => rules.find(rule => rule.category === category)?.action
  return ['games', 'press', 'shopping'].filter(category => {
    const action = first(category)
    return action === undefined ? listed.includes(category) : action === 'classify'
  })
}

t.test('whatever the city wrote, its rules say the same with their index as without', async t => {
  let decided = 0
  const listed = ['press', 'shopping']
  fc.assert(
    fc.property(
      fc.array(anyRule, { minLength: 1, maxLength: 20, size: 'max' }),
      anyAsked,
      anyClient,
      (rules, asked, client) => {
        const table = compileLocalRules(aPolicy({ rules }))
        const about = acting(rules, asked, client.site)
        const deciding = about.find(({ category }) => category === undefined)
        if (deciding !== undefined) decided++
        return (
          isDeepStrictEqual(table.about(asked, client, NOW), about) &&
          table.deciding(asked, client, NOW) === deciding &&
          isDeepStrictEqual(table.correct(listed, asked, client, NOW), corrected(about, listed))
        )
      },
    ),
    { numRuns: 2_000 },
  )
  t.ok(decided > 100, `the property is not empty: ${decided} decided`)
})
