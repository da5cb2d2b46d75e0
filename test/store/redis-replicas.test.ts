/** How many replicas a change must have reached, from who was there when. */
import t from 'tap'
import { RedisReplicas } from '../../src/store/redis-replicas.ts'

function counted(wanted: number) {
  let now = 5_000
  const replicas = new RedisReplicas(wanted, 60_000, () => now)
  const after = (ms: number, connected: number): number => {
    now += ms
    replicas.saw(connected)
    return replicas.required
  }
  return { replicas, after }
}

t.test('one that is away is waited for a minute, then those that remain are enough', async t => {
  const { replicas, after } = counted(2)
  t.equal(replicas.required, 2, 'before anybody was seen')
  t.equal(after(1_000, 2), 2)
  t.equal(after(30_000, 1), 2)
  t.equal(after(29_999, 1), 2)
  t.equal(after(1, 1), 1)
  t.equal(replicas.isReduced, true)
  t.equal(after(2_000, 2), 2, 'one that is back counts at once')
  t.equal(after(59_999, 1), 2, 'and is waited for anew')
})

t.test('each has a minute of its own, and the last one is always waited for', async t => {
  const { after } = counted(3)
  t.equal(after(60_000, 2), 2)
  t.equal(after(3_600_000, 2), 2)
  t.equal(after(1_000, 1), 2, 'the second has only just gone')
  t.equal(after(60_000, 0), 1)
  t.equal(after(3_600_000, 0), 1)
})

t.test('on a new connection all are waited for; where none is wanted, none', async t => {
  const { replicas, after } = counted(2)
  t.equal(after(90_000, 1), 1)
  replicas.reset()
  t.equal(after(1_000, 1), 2)
  t.equal(counted(0).after(90_000, 2), 0)
  t.equal(counted(1).after(90_000, 0), 1)
})
