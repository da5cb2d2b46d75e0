/** The Redis that is written dies, and a sentinel puts its replica in its place: nothing acknowledged is missing. */
import t from 'tap'
import { startLoad } from './load/load.ts'
import { failOver, openReplicatedCity } from './scenarios/failover.ts'
import { conclude, describe } from './scenarios/outcome.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'

t.test('a failover loses nothing that was acknowledged', async t => {
  const stage = stageOf(t)
  const origin = await openOrigin(stage)
  const { city, ...redis } = await openReplicatedCity(stage)
  const load = await startLoad(stage, city, origin)
  const outcome = await conclude('failover', city, load, [await failOver(load, redis)])
  t.strictSame(outcome.lost, [], 'nothing that was acknowledged is missing')
  t.strictSame(outcome.faults, [], 'no verdict was wrong, no allowed request failed')
  t.comment(`measured: ${describe(outcome)}`)
})
