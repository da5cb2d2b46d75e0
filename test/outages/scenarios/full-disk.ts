/** The disk of the data folder is full for a while: the filter goes on, what cannot be kept is refused in words, nothing is damaged. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { openStore } from '../../../src/store/open-store.ts'
import { loadConfig } from '../../../src/config.ts'
import type { City } from '../city.ts'
import type { SmallDisk } from '../faults/disk.ts'
import { killWorker } from '../faults/kill.ts'
import type { Act } from '../load/desk.ts'
import { click, clickOnce } from '../load/lives.ts'
import type { Load } from '../load/load.ts'
import { converge } from './converge.ts'

export interface FullDisk {
  /** Answers in words, « not possible now ». */
  readonly clicksRefused: number
  /** Status and body of the answer to a decision while the disk is full. */
  readonly decision: string
  /** A worker that dies meanwhile comes back and decides. */
  readonly workerBackMs: number
  /** Until the first page of the admin app said so; undefined: it never did. */
  readonly alarmMs: number | undefined
  readonly convergedMs: number
}

/** As the page has it, in French. */
const ALARM = /disque des données est presque plein/
const ALARM_WITHIN_MS = 30_000
/** The write-ahead log has pages of its own: some commits still find place in it. */
const REFUSED_WITHIN_MS = 20_000

export async function fillDisk(
  city: City,
  load: Load,
  disk: SmallDisk,
  lastsMs: number,
): Promise<FullDisk> {
  const { watch, ledger, desk } = load
  const waiting = load.nextHost() ?? ''
  await click(load, waiting, '127.0.9.2')
  const pending = await desk.pending()
  const id = 'told' in pending ? '' : pending.get(waiting)
  const before = ledger.clicking.refusedHonestly
  const seen = await watch.disturb('the disk is full', async () => {
    const until = performance.now() + REFUSED_WITHIN_MS
    while (ledger.clicking.refusedHonestly === before && performance.now() < until) {
      disk.fill()
      await clickOnce(load, load.nextHost() ?? '', '127.0.9.3')
    }
    const { backMs } = await watch.disturb(
      'kill -9 of a worker while the disk is full',
      () => killWorker(city, watch, 0),
      true,
    )
    await fillOn(disk, lastsMs)
    const fields = { scope: 'site', duration: 'hour' }
    return {
      workerBackMs: backMs,
      decision: answerOf(await desk.post(`/requests/${id}/approve`, fields)),
      alarmMs: await untilAlarm(load, disk),
    }
  })
  disk.free()
  const convergedMs = await watch.disturb('the disk has place again', () => converge(load))
  await elapsed(500)
  // Reads every page of the database.
  const store = await openStore(loadConfig(city.configFile, {}), { check: true })
  await store.close()
  return {
    ...seen,
    clicksRefused: ledger.clicking.refusedHonestly - before,
    convergedMs,
  }
}

async function fillOn(disk: SmallDisk, lastsMs: number): Promise<void> {
  const until = performance.now() + lastsMs
  while (performance.now() < until) {
    disk.fill()
    await elapsed(200)
  }
}

async function untilAlarm({ desk }: Load, disk: SmallDisk): Promise<number | undefined> {
  const startedAt = performance.now()
  while (performance.now() - startedAt < ALARM_WITHIN_MS) {
    disk.fill()
    const { answer } = await desk.get('/')
    if (answer.kind === 'answer' && answer.status === 200 && ALARM.test(answer.body))
      return performance.now() - startedAt
    await elapsed(500)
  }
  return undefined
}

const answerOf = ({ answer }: Act): string =>
  answer.kind === 'answer' ? `${answer.status} ${answer.body}` : answer.code
