/** Every process is replaced by a new one under a constant load of new connections, and nobody notices. */
import t from 'tap'
import { openCity } from './city.ts'
import { startLoad } from './load/load.ts'
import { conclude, describe } from './scenarios/outcome.ts'
import { restartAll } from './scenarios/rolling-restart.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'
import { notLinux } from '../support/process-state.ts'

t.test(
  'a restart of all (SIGHUP) refuses nobody and loses nothing',
  { skip: notLinux },
  async t => {
    const stage = stageOf(t)
    const origin = await openOrigin(stage)
    // Long enough for a look at who drains, however busy the machine is.
    const limits = { handoverTimeoutMs: 1_500, drainTimeoutMs: 4_000 }
    const city = await openCity(stage, { limits })
    const load = await startLoad(stage, city, origin, { visitors: 10, pauseMs: 10 })
    const times = await restartAll(city, load, 0)
    const outcome = await conclude('restart of all', city, load, times)
    t.strictSame(outcome.lost, [], 'nothing that was acknowledged is missing')
    t.strictSame(outcome.faults, [], 'every request had its answer; tunnels had their time to end')
    t.equal(outcome.unserved, 0, 'no connection was refused')
    t.ok(outcome.verdicts > 50)
    t.comment(`measured: ${describe(outcome)}`)
  },
)
