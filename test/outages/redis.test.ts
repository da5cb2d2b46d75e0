/** The shared store is away, or in trouble, under load (the soak: a minute each): the filter decides on, and all converges at its return. */
import t from 'tap'
import { startLoad } from './load/load.ts'
import { openRedisCity } from './redis-city.ts'
import { conclude, describe } from './scenarios/outcome.ts'
import { AWAY, takeStoreAway } from './scenarios/store-outage.ts'
import { troubleStore } from './scenarios/store-trouble.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'

/** Five seconds are promised, on a machine that has nothing else to do; what is measured is printed. */
const CONVERGED_MS = 15_000
const GROWN_MEGABYTES = 20

t.test('Redis stopped, killed, held up and out of reach, then back', async t => {
  const stage = stageOf(t)
  const origin = await openOrigin(stage)
  const { city, redis, shim } = await openRedisCity(stage)
  const load = await startLoad(stage, city, origin)
  const parts = { city, load, redis, shim }
  const times: number[] = []
  for (const how of AWAY) {
    const seen = await takeStoreAway(parts, { how, lastsMs: 4_000, isWorkerKilled: true })
    times.push(seen.convergedMs)
    t.strictSame(seen.expiring, ['open', 'refused'], `${how}: a grant whose end comes ends`)
    t.ok(seen.workerBackMs, `${how}: a worker that is killed meanwhile comes back and decides`)
    t.ok(seen.clicksRefused > 0, `${how}: clicks are told that it is not possible now`)
    t.ok(seen.convergedMs < CONVERGED_MS, `${how}: all is well again`)
    t.ok(seen.grownMegabytes < GROWN_MEGABYTES, `${how}: the memory stays`)
    t.comment(
      `measured: store ${how}: converged ${Math.round(seen.convergedMs)} ms after its return, memory ${seen.grownMegabytes.toFixed(1)} MB, ${seen.clicksRefused} clicks refused in words, a killed worker decided again after ${Math.round(seen.workerBackMs ?? 0)} ms`,
    )
  }
  const outcome = await conclude('store away', city, load, times)
  t.strictSame(outcome.lost, [], 'nothing that was acknowledged is missing')
  t.strictSame(outcome.faults, [], 'no verdict was wrong, no allowed request failed')
  t.equal(load.ledger.clicking.hung + load.ledger.deciding.hung, 0, 'nobody was left waiting')
  t.equal(load.desk.signIns, 0, 'nobody had to sign in again')
  t.comment(`measured: ${describe(outcome)}`)
})

t.test('Redis slow, cutting connections, loading, full, read-only', async t => {
  const stage = stageOf(t)
  const origin = await openOrigin(stage)
  const { city, shim } = await openRedisCity(stage)
  const load = await startLoad(stage, city, origin)
  const times = await troubleStore(load, shim, 2_500)
  const outcome = await conclude('store in trouble', city, load, times)
  t.strictSame(outcome.lost, [])
  t.strictSame(outcome.faults, [])
  t.ok(Math.max(...times) < CONVERGED_MS, 'all is well again')
  t.comment(`measured: ${describe(outcome)}`)
})
