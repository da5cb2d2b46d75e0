/** The data of Redis are lost, then those of a back-up are put back: the filter decides on, and all follow what Redis then says. */
import t from 'tap'
import { startLoad } from './load/load.ts'
import { openRedisCity } from './redis-city.ts'
import { loseData } from './scenarios/lost-data.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'

t.test('FLUSHALL, and a copy of a while ago put back', async t => {
  const stage = stageOf(t)
  const origin = await openOrigin(stage)
  const { city, redis } = await openRedisCity(stage)
  const load = await startLoad(stage, city, origin, { lives: 0 })
  const { click, afterFlush, afterCopy, convergedMs } = await loseData(
    load,
    redis,
    stage.dir,
    3_000,
  )
  await load.stop()
  t.match(click, /^503 .*"text":"[^"]{20}/, 'a click is told that it is not possible now')
  t.equal(afterFlush, 'open', 'what was in force stays in force, whatever was lost')
  t.equal(afterCopy, 'open', 'what was closed after the copy was made is open again: to be known')
  t.strictSame(load.watch.faults, [], 'no verdict was wrong meanwhile')
  t.comment(`measured: an old copy put back: converged after ${Math.round(convergedMs)} ms`)
})
