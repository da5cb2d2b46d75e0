import t from 'tap'
import { holdReasons, type CategoryChange, type Rehearsal } from '../../src/policy/rehearsal.ts'

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
    'a category of pages only that vanishes',
    {
      categories: [
        change({ before: 0, after: 0, pages: { before: 4, after: 0, added: 0, removed: 4 } }),
      ],
    },
    [{ kind: 'lost', category: 'games' }],
  ],
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
