/** Whatever is sent to a proxy worker, it lives, it serves, and nothing malformed or refused leaves it. */
import t from 'tap'
import { runBounded } from './bounded.ts'
import { WORKERS } from './targets.ts'

for (const target of WORKERS)
  t.test(`no input breaks a promise of "${target.name}"`, t => runBounded(t, target))
