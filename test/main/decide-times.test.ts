/** Verdicts are timed now and then, and are the same verdicts. */
import t from 'tap'
import { DecideTimes } from '../../src/main/decide-times.ts'
import { decide } from '../../src/policy/verdict.ts'
import { aSnapshot, host } from '../support/snapshot.ts'

t.test('one in 64 is timed, the first one among them', t => {
  const times = new DecideTimes()
  const timed = times.time(decide)
  const snapshot = aSnapshot()
  const client = snapshot.networks(host('10.1.0.1'))
  const target = { host: host('games.test'), port: 443 }
  const count = (): number | undefined =>
    times.samples().find(({ part }) => part === 'count')?.value
  t.strictSame(timed(snapshot, client, target, 0), decide(snapshot, client, target, 0))
  t.equal(count(), 1)
  for (let i = 0; i < 128; i++) timed(snapshot, client, target, 0)
  t.equal(count(), 3)
  t.end()
})
