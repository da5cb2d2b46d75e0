/** The Redis that is written hangs, is taken for dead and comes back: two masters for a moment, nothing acknowledged is missing. */
import t from 'tap'
import { playFailover } from './scenarios/play-failover.ts'

t.test('a master that is deposed in error loses nothing that it acknowledged', t =>
  playFailover(t, 'hangs'),
)
