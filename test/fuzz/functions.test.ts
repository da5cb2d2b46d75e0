/** Whatever comes from outside is read or refused with a clear error: a bounded run of each fuzz target, seeded. */
import t from 'tap'
import { runBounded } from './bounded.ts'
import { FUNCTIONS } from './targets.ts'

for (const target of FUNCTIONS)
  t.test(`no input breaks a promise of "${target.name}"`, t => runBounded(t, target))
