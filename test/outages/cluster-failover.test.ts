/** A cluster whose node of our slot dies: nothing acknowledged is missing, and all is decided rightly meanwhile. */
import { setTimeout as elapsed } from 'node:timers/promises'
import t from 'tap'
import { startLoad } from './load/load.ts'
import { failOverCluster, openClusterCity } from './scenarios/cluster-failover.ts'
import { conclude, describe } from './scenarios/outcome.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'

t.test('a failover within a cluster loses nothing that was acknowledged', async t => {
  const stage = stageOf(t)
  const origin = await openOrigin(stage)
  const { city, ...nodes } = await openClusterCity(stage)
  const load = await startLoad(stage, city, origin)
  while (load.ledger.clicking.acknowledged < 10) await elapsed(50)
  const outcome = await conclude('cluster', city, load, [await failOverCluster(load, nodes)])
  t.strictSame(outcome.lost, [], 'nothing that was acknowledged is missing')
  t.strictSame(outcome.faults, [], 'no verdict was wrong, no allowed request failed')
  t.comment(`measured: ${describe(outcome)}`)
})
