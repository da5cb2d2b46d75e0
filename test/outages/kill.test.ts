/** Any process is killed while clients work (the soak does it two hundred times): nothing acknowledged is lost, and service is back at once. */
import t from 'tap'
import { openCity } from './city.ts'
import { startLoad } from './load/load.ts'
import { killProcesses, VICTIMS } from './scenarios/killed-processes.ts'
import { conclude, describe, median } from './scenarios/outcome.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'
import { notLinux } from '../support/process-state.ts'

/** Two seconds on a machine that has nothing else to do; what is measured is printed. */
const BACK_MS = 15_000

t.test(
  'kill -9 of each process loses nothing that was acknowledged',
  { skip: notLinux },
  async t => {
    const stage = stageOf(t)
    const origin = await openOrigin(stage)
    const city = await openCity(stage)
    const load = await startLoad(stage, city, origin)
    const victims = [...VICTIMS, 'worker', 'worker', 'admin', 'worker'] as const
    const killings = await killProcesses(city, origin, load, { victims, pauseMs: 800 })
    const times = killings.map(({ backMs }) => backMs)
    const outcome = await conclude('kill -9', city, load, times)
    t.strictSame(
      outcome.lost,
      [],
      'what was acknowledged is in the store, once, with its audit entry',
    )
    t.strictSame(outcome.faults, [], 'no verdict was wrong; tunnels of other processes went on')
    t.ok(outcome.acknowledged > 20, `${outcome.acknowledged} acknowledged`)
    t.ok(median(times) < BACK_MS, 'service is back')
    t.comment(`measured: ${describe(outcome)}`)
    for (const victim of VICTIMS) {
      const own = killings.filter(killing => killing.victim === victim).map(({ backMs }) => backMs)
      t.comment(
        `measured: back after the death of the ${victim}: ${own.map(Math.round).join(', ')} ms`,
      )
    }
  },
)
