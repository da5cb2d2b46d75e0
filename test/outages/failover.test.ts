/** A sentinel puts a replica in the place of the Redis that is written: nothing acknowledged is missing. */
import { setTimeout as elapsed } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startLoad } from './load/load.ts'
import { failOver, openReplicatedCity } from './scenarios/failover.ts'
import { conclude, describe } from './scenarios/outcome.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'

async function play(t: Test, how: 'dies' | 'hangs', replicas: number): Promise<void> {
  const stage = stageOf(t)
  const origin = await openOrigin(stage)
  const { city, ...redis } = await openReplicatedCity(stage, {}, replicas)
  const load = await startLoad(stage, city, origin)
  while (load.ledger.clicking.acknowledged < 10) await elapsed(50)
  const outcome = await conclude('failover', city, load, [await failOver(load, redis, how)])
  t.strictSame(outcome.lost, [], 'nothing that was acknowledged is missing')
  t.strictSame(outcome.faults, [], 'no verdict was wrong, no allowed request failed')
  t.comment(`measured: ${describe(outcome)}`)
}

t.test('a failover loses nothing that was acknowledged', t => play(t, 'dies', 1))

t.test('nor does one to the one of two replicas that a sentinel likes better', t =>
  play(t, 'dies', 2),
)

t.test('nor do two masters for a moment, when one has only hung', t => play(t, 'hangs', 2))
