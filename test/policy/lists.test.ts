import t from 'tap'
import { activate, putInForce, rollBack } from '../../src/policy/lists.ts'
import type { CandidateDocument, ListsVersion } from '../../src/policy/lists.ts'

const version = (id: string): ListsVersion => ({
  id,
  builtAt: 1,
  lists: [],
  index: `index-${id}.bin`,
  hosts: 0,
  starterDigest: 'd',
})
const first = putInForce(undefined, version('1'), 'system', 1)
const second = putInForce(first, version('2'), 'cli', 2)

t.test('what was in force before is kept, and no chain of it grows', async t => {
  const third = putInForce(second, version('3'), 'cli', 3)
  t.match(third, { id: '3', activatedBy: 'cli', activatedAt: 3, previous: { id: '2' } })
  t.notOk('previous' in (third.previous ?? {}))
})

t.test(
  'going back twice comes forward again; the first version has nothing to go back to',
  async t => {
    const back = rollBack(second, 'claire', 4)
    t.match(back, { id: '1', activatedBy: 'claire', previous: { id: '2' } })
    t.equal(rollBack(back, 'claire', 5).id, '2')
    t.throws(() => rollBack(first, 'claire', 4), { code: 'PREAU_NO_PREVIOUS_LISTS' })
  },
)

t.test('an update is put in force only over the version it was tried against', async t => {
  const rehearsal = {
    categories: [],
    seen: [],
    closes: 0,
    warns: 0,
    opens: 0,
    hostsSeen: 0,
    days: 30,
  }
  const candidate: CandidateDocument = {
    version: version('3'),
    base: '2',
    list: 'ut1',
    by: 'system',
    rehearsal,
    holds: [{ kind: 'asked' }],
  }
  t.equal(activate(second, candidate, 'claire', 6).id, '3')
  t.throws(() => activate(first, candidate, 'claire', 6), { code: 'PREAU_CANDIDATE_STALE' })
})
