/** The data folder on a disk that gets full under load, and has place again. */
import t from 'tap'
import { join } from 'node:path'
import { openCity } from './city.ts'
import { mountSmallDisk } from './faults/disk.ts'
import { startLoad } from './load/load.ts'
import { fillDisk } from './scenarios/full-disk.ts'
import { conclude, describe } from './scenarios/outcome.ts'
import { openOrigin } from './sites.ts'
import { stageOf } from './stage.ts'
import { notLinux } from '../support/process-state.ts'

const MEGABYTES = 64
const PATIENCE_MS = 15_000

t.test('a full disk stops no verdict, and damages nothing', { skip: notLinux }, async t => {
  const stage = stageOf(t)
  const disk = await mountSmallDisk(stage, MEGABYTES)
  if (disk === undefined) {
    t.comment('skipped: no right to mount a small disk here')
    return
  }
  const origin = await openOrigin(stage)
  const city = await openCity(stage, { dataDir: join(disk.path, 'data') })
  const load = await startLoad(stage, city, origin)
  const seen = await fillDisk(city, load, disk, 3_000)
  const outcome = await conclude('full disk', city, load, [seen.convergedMs])
  t.ok(seen.clicksRefused > 0, 'clicks are told that it is not possible now')
  t.match(seen.decision, /^503 .*"text":"[^"]{20}/, 'and so is the DSI')
  t.ok(seen.alarmMs !== undefined, 'and the first page says why')
  t.ok(seen.workerBackMs < PATIENCE_MS, 'a worker that dies meanwhile comes back')
  t.ok(seen.convergedMs < PATIENCE_MS, 'all is well again')
  t.strictSame(outcome.lost, [])
  t.strictSame(outcome.faults, [])
  t.comment(`measured: ${describe(outcome)}`)
  t.comment(
    `measured: full disk: ${seen.clicksRefused} clicks refused in words, a killed worker back after ${Math.round(seen.workerBackMs)} ms`,
  )
})
