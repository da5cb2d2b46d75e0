import t from 'tap'
import type { CategoryLookup } from '../../src/policy/category.ts'
import type { Grant } from '../../src/policy/grant.ts'
import { suffixes } from '../../src/policy/host.ts'
import { compareVerdicts, withoutHours } from '../../src/policy/compare-verdicts.ts'
import type { Snapshot } from '../../src/policy/snapshot.ts'
import { aPolicy, aSnapshot, host } from '../support/snapshot.ts'

const NOW = Date.UTC(2026, 10, 24, 3)
const listed =
  (all: Record<string, string[]>): CategoryLookup =>
  asked =>
    [...new Set([...suffixes(asked)].flatMap(name => all[name] ?? []))].sort()

const tunnels = (exchanges: number) => ({ exchanges, plain: 0 })

function compare(
  before: Record<string, string[]>,
  after: Record<string, string[]>,
  exchanges: Record<string, number>,
  grants: Grant[] = [],
) {
  const policy = aPolicy()
  const snapshot = (categories: CategoryLookup) =>
    aSnapshot({ policy: withoutHours(policy), categories, grants })
  return compareVerdicts({
    before: snapshot(listed(before)),
    after: snapshot(listed(after)),
    policy,
    asked: new Map(Object.entries(exchanges).map(([name, count]) => [host(name), tunnels(count)])),
    grants,
    now: NOW,
  })
}

t.test('what closes, warns and opens is told with the profiles, most asked first', async t => {
  const changes = compare(
    { 'opens.test': ['games'], 'same.test': ['games'] },
    {
      'closes.test': ['games'],
      'warns.test': ['shopping'],
      'same.test': ['games'],
      'talk.test': ['social_networks'],
    },
    { 'opens.test': 3, 'www.closes.test': 40, 'warns.test': 5, 'same.test': 900, 'talk.test': 1 },
  )
  t.same(
    changes.map(({ host, effect, exchanges, profiles, category }) => [
      host,
      effect,
      exchanges,
      [...profiles].sort(),
      category,
    ]),
    [
      ['www.closes.test', 'closes', 40, ['pupils', 'teachers'], 'games'],
      ['warns.test', 'warns', 5, ['pupils'], 'shopping'],
      ['opens.test', 'opens', 3, ['pupils', 'teachers'], 'games'],
      ['talk.test', 'closes', 1, ['pupils'], 'social_networks'],
    ],
  )
})

t.test('a category that no profile closes changes nothing', async t =>
  t.same(compare({}, { 'news.test': ['press'] }, { 'news.test': 10 }), []),
)

t.test('a sub-domain of a granted site is looked at for those who have the grant', async t => {
  const grant: Grant = {
    id: 'g1',
    host: host('lesson.test'),
    scope: { kind: 'site', site: '0750001A' },
    origin: 'approved',
    by: 'claire',
    at: NOW - 1,
    until: null,
  }
  const before = { 'lesson.test': ['games'] }
  const after = { 'lesson.test': ['games'], 'www.lesson.test': ['adult'] }
  const changes = compare(before, after, { 'www.lesson.test': 4 }, [grant])
  t.match(changes, [{ host: 'www.lesson.test', effect: 'closes', isGranted: true }])
})

t.test('a site that a grant opens today is looked at for those who have the grant', async t => {
  const grant: Grant = {
    id: 'g1',
    host: host('lesson.test'),
    scope: { kind: 'site', site: '0750001A' },
    origin: 'approved',
    by: 'claire',
    at: NOW - 1,
    until: null,
  }
  const changes = compare({ 'lesson.test': ['games'] }, { 'lesson.test': ['adult'] }, {}, [grant])
  t.match(changes, [
    { host: 'lesson.test', effect: 'closes', isGranted: true, exchanges: 0, category: 'adult' },
  ])
})

const HOST = host('lesson.test')
const other = (rest: Partial<Snapshot>): { before: Snapshot; after: Snapshot } => {
  const before = aSnapshot({ categories: () => [] })
  return { before, after: { ...before, ...rest } }
}
const question = (seen: object, change: { before: Snapshot; after: Snapshot }) => ({
  ...change,
  policy: aPolicy(),
  asked: new Map([[HOST, { exchanges: 3, plain: 0, ...seen }]]),
  grants: [],
  now: NOW,
})

t.test('an expression that comes to match a host closes it', async t => {
  const change = other({ pages: name => (name === HOST ? ['games'] : []) })
  t.match(compareVerdicts(question({}, change)), [
    { host: HOST, effect: 'closes', category: 'games', listed: undefined },
  ])
})

t.test('pages of a host are looked at where it was asked for over plain HTTP', async t => {
  const change = other({ hints: name => (name === HOST ? ['games'] : []) })
  t.same(compareVerdicts(question({}, change)), [], 'a tunnel hides its pages')
  t.match(compareVerdicts(question({ plain: 1 }, change)), [
    { host: HOST, effect: 'closes', category: 'games', listed: 'page' },
  ])
  const back = { before: change.after, after: change.before }
  t.match(compareVerdicts(question({ plain: 1 }, back)), [{ effect: 'opens', listed: 'page' }])
})

t.test('a site that is seen through a translator changes with the site itself', async t => {
  const change = other({ categories: name => (name === HOST ? ['games'] : []) })
  const wrapped = host('lesson-test.translate.goog')
  const asked = new Map([[wrapped, { exchanges: 1, plain: 0 }]])
  t.match(compareVerdicts({ ...question({}, change), asked }), [
    { host: wrapped, effect: 'closes', category: 'games' },
  ])
})

t.test('where one school has a rule of its own, the change is told of that school', async t => {
  const rules = [
    { host: HOST, action: 'allow' as const },
    { host: HOST, action: 'declassify' as const, category: 'adult', reason: 'x', site: '0750002B' },
  ]
  const policy = aPolicy({ rules })
  const before = aSnapshot({ policy, categories: () => ['adult'] })
  const after = { ...before, categories: () => [] }
  const everywhere = compareVerdicts({ ...question({}, { before, after }), policy })
  t.match(everywhere, [{ effect: 'opens', sites: undefined }])
  const back = { before: { ...before, categories: () => ['games'] }, after: before }
  t.match(compareVerdicts({ ...question({}, back), policy }), [{ effect: 'closes' }])
  const own = aPolicy({ rules: [{ host: HOST, action: 'allow', site: '0750002B' }] })
  const closed = aSnapshot({ policy: own, categories: () => ['games'] })
  const never = { before: closed, after: { ...closed, categories: () => ['games', 'adult'] } }
  t.match(compareVerdicts({ ...question({}, never), policy: own }), [
    { effect: 'closes', category: 'adult', profiles: ['pupils'], sites: ['0750002B'] },
  ])
})
