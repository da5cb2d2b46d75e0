/** The Redis that is written dies, and a sentinel puts one of two replicas in its place: nothing acknowledged is missing. */
import t from 'tap'
import { playFailover } from './scenarios/play-failover.ts'

t.test('a failover loses nothing that was acknowledged', t => playFailover(t, 'dies'))
