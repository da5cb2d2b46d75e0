/** One failover of a city at work, with two replicas, and what must hold after it. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Test } from 'tap'
import { startLoad } from '../load/load.ts'
import { openOrigin } from '../sites.ts'
import { stageOf } from '../stage.ts'
import { failOver, openReplicatedCity } from './failover.ts'
import { conclude, describe } from './outcome.ts'

export async function playFailover(t: Test, how: 'dies' | 'hangs'): Promise<void> {
  const stage = stageOf(t)
  const origin = await openOrigin(stage)
  const { city, ...redis } = await openReplicatedCity(stage, {}, 2)
  const load = await startLoad(stage, city, origin)
  while (load.ledger.clicking.acknowledged < 10) await elapsed(50)
  const outcome = await conclude('failover', city, load, [await failOver(load, redis, how)])
  t.strictSame(outcome.lost, [], 'nothing that was acknowledged is missing')
  t.strictSame(outcome.faults, [], 'no verdict was wrong, no allowed request failed')
  t.comment(`measured: ${describe(outcome)}`)
}
