import t from 'tap'
import type { CategoryLookup } from '../../src/policy/category.ts'
import type { Grant } from '../../src/policy/grant.ts'
import { suffixes, type Host } from '../../src/policy/host.ts'
import { compareVerdicts, holdReasons, withoutHours } from '../../src/policy/rehearsal.ts'
import type { CategoryChange, Rehearsal } from '../../src/policy/rehearsal.ts'
import { aPolicy, aSnapshot, host } from '../support/snapshot.ts'

const NOW = Date.UTC(2026, 10, 24, 3)
const listed =
  (all: Record<string, string[]>): CategoryLookup =>
  asked =>
    [...new Set([...suffixes(asked)].flatMap(name => all[name] ?? []))].sort()

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
    exchanges: new Map(Object.entries(exchanges) as [Host, number][]),
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

const limits = { holdRemovedPercent: 10, holdAddedPercent: 30, holdFromHosts: 100, holdSeen: 5 }
const change = (rest: Partial<CategoryChange>): CategoryChange => ({
  category: 'games',
  before: 1_000,
  after: 1_000,
  added: 0,
  removed: 0,
  addedSamples: [],
  removedSamples: [],
  ...rest,
})
const rehearsal = (rest: Partial<Rehearsal>): Rehearsal => ({
  categories: [],
  seen: [],
  closes: 0,
  warns: 0,
  opens: 0,
  hostsSeen: 0,
  days: 30,
  ...rest,
})

const rows: [string, Partial<Rehearsal>, object[]][] = [
  ['a quiet update goes through', { categories: [change({ added: 300, removed: 100 })] }, []],
  [
    'too much gone',
    { categories: [change({ removed: 110 })] },
    [{ kind: 'removed', category: 'games', percent: 11 }],
  ],
  [
    'too much come',
    { categories: [change({ added: 310 })] },
    [{ kind: 'added', category: 'games', percent: 31 }],
  ],
  [
    'a big share of a small category',
    { categories: [change({ before: 20, removed: 10, added: 60 })] },
    [],
  ],
  [
    'a little more than the threshold',
    { categories: [change({ before: 10_000, removed: 1_001 })] },
    [{ kind: 'removed', category: 'games', percent: 11 }],
  ],
  ['a new category', { categories: [change({ before: 0, after: 5_000, added: 5_000 })] }, []],
  [
    'a category that vanishes, however small',
    { categories: [change({ before: 3, after: 0, removed: 3 })] },
    [{ kind: 'lost', category: 'games' }],
  ],
  ['a few sites of this city', { closes: 3, opens: 2, warns: 50 }, []],
  ['many sites of this city', { closes: 4, opens: 2 }, [{ kind: 'seen', closes: 4, opens: 2 }]],
]
for (const [name, rest, expected] of rows)
  t.test(`whether an update waits: ${name}`, async t =>
    t.same(holdReasons(rehearsal(rest), limits), expected),
  )
