/**
 * What follows a store knows what the store holds, however it is told: random commits, read now and then (a message that is
 * lost is a read that does not happen), entries that are missing or of an older Préau, clocks that are set.
 */
import * as fc from 'fast-check'
import type { Test } from 'tap'
import type { Change } from '../../src/policy/document.ts'
import { StateReader } from '../../src/snapshot/state-reader.ts'
import type { Store } from '../../src/store/store.ts'
import { note } from './store.ts'

export interface FollowedPlace {
  readonly store: Store
  /** A commit as a Préau makes it whose entries do not say what they have changed. */
  readonly commitAsBefore: (id: string, body: object) => Promise<void>
  readonly close: () => Promise<void>
}

const HOUR_MS = 3_600_000

const grantBody = fc.record({
  host: fc.constantFrom('a.example', 'b.example'),
  scope: fc.constant({ kind: 'city' }),
  origin: fc.constant('approved'),
  by: fc.constant('dsi'),
  at: fc.constant(0),
  until: fc.constantFrom(null, 5 * HOUR_MS),
  endedAt: fc.constantFrom(undefined, undefined, 1),
})
const id = fc.constantFrom('g1', 'g2', 'g3', 'g4', 'g\n"5', 'é\u0000')
const change = fc.oneof(
  { weight: 5, arbitrary: fc.tuple(id, fc.option(grantBody)).map(([of, body]) => grant(of, body)) },
  {
    weight: 1,
    arbitrary: fc.nat(9).map(city => ({ kind: 'policy', id: 'current', body: { city } })),
  },
  {
    weight: 1,
    arbitrary: fc.nat(9).map(index => ({ kind: 'lists', id: 'current', body: { index } })),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'latest', id: 'k', body: { requestId: 'r' } }) },
)
const grant = (of: string, body: object | null) => ({
  kind: 'grant',
  id: of,
  body: body && { id: of, ...body },
})
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('commit'),
      changes: fc.array(change, { maxLength: 4 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget'), back: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('before'), id, body: grantBody }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('clock'), hours: fc.integer({ max: 9, min: 0 }) }),
  },
)
type Step =
  | { do: 'commit'; changes: Change[] }
  | { do: 'read' }
  | { do: 'forget'; back: number }
  | { do: 'before'; id: string; body: object }
  | { do: 'clock'; hours: number }

/** `open`: an empty place, each time another one. */
export async function followedContract(
  t: Test,
  numRuns: number,
  open: () => Promise<FollowedPlace>,
): Promise<void> {
  const seen = { told: 0, all: 0 }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async steps => {
      const place = await open()
      try {
        return await follow(place, steps as Step[], seen)
      } finally {
        await place.close()
      }
    }),
    { numRuns },
  )
  t.comment(`measured: ${seen.told} times told what had changed, ${seen.all} times all was read`)
  t.ok(seen.told > numRuns, 'most of it is told')
  t.ok(seen.all > numRuns, 'and some must be read')
}

async function follow(
  { store, commitAsBefore }: FollowedPlace,
  steps: readonly Step[],
  seen: { told: number; all: number },
): Promise<boolean> {
  let [now, commits] = [0, 0]
  const clock = (): number => now
  const reader = new StateReader(store, clock)
  const commit = (changes: readonly Change[]): Promise<void> =>
    store.commit(note('test', ++commits), changes)
  await commit([
    { kind: 'policy', id: 'current', body: { city: 0 } },
    { kind: 'lists', id: 'current', body: { index: 0 } },
  ] as unknown as Change[])
  for (const one of [...steps, { do: 'read' } as const]) {
    if (one.do === 'commit') await commit(one.changes)
    else if (one.do === 'forget') await store.forget(commits - one.back)
    else if (one.do === 'before') {
      commits += 1
      await commitAsBefore(one.id, { id: one.id, ...one.body })
    } else if (one.do === 'clock') now = one.hours * HOUR_MS
    else {
      const { state, isAllRead } = await reader.read()
      seen[isAllRead ? 'all' : 'told'] += 1
      const whole = await new StateReader(store, clock).read()
      if (JSON.stringify(state) !== JSON.stringify(whole.state)) return false
    }
  }
  return true
}
