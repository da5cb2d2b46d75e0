/** The clock of the machine is an hour wrong for a while: nothing is destroyed by it, and nothing lives for ever. */
import t from 'tap'
import { openCity } from './city.ts'
import { noFakeTime, openClock } from './faults/clock.ts'
import { startLoad } from './load/load.ts'
import { jumpClock } from './scenarios/clock-jump.ts'
import { conclude, describe } from './scenarios/outcome.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'

t.test(
  'the clock jumps an hour forth and back, and back and forth',
  { skip: noFakeTime },
  async t => {
    const stage = stageOf(t)
    const clock = openClock(stage)
    const origin = await openOrigin(stage)
    const city = await openCity(stage, { env: clock.env })
    const load = await startLoad(stage, city, origin, { lives: 0 })
    const { seen, slow } = await jumpClock(city, load, clock)
    const outcome = await conclude('clock', city, load, [])
    t.strictSame(
      seen.map(({ clock, hour, forever }) => [clock, hour, forever]),
      [
        ['right', 'open', 'open'],
        ['an hour fast', 'refused', 'open'],
        ['right again', 'open', 'open'],
        ['an hour slow', 'open', 'open'],
        ['right at the end', 'open', 'open'],
      ],
      'a grant ends when the clock says so, and has its own end again when the clock is right',
    )
    t.equal(slow, 'refused', 'an hour that was given an hour too early is over')
    for (const { clock, page, isSignedIn, cpu } of seen) {
      t.equal(page, 'HTTP/1.1 403 Forbidden', `${clock}: a certificate made now is valid`)
      t.ok(isSignedIn, `${clock}: the session goes on`)
      t.ok(cpu < 1, `${clock}: nothing spins (${cpu.toFixed(2)} s of CPU in a second)`)
    }
    t.strictSame(outcome.lost, [])
    t.strictSame(outcome.faults, [])
    t.comment(`measured: ${describe(outcome)}`)
  },
)
