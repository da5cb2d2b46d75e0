/** What does a gigabyte cost? Four tunnels down, then four up, every byte checked; CPU of each proxy in one run. */
import {
  startE2guardian,
  startPlainRelay,
  startSquid,
  startTinyproxy,
} from './support/contestants/peers.ts'
import type { Contestant } from './support/contestants/contestant.ts'
import { startPreau } from './support/contestants/preau.ts'
import { residentMegabytes, rounded } from './support/cpu.ts'
import type { Way } from './support/load/bulk.ts'
import { ask } from './support/question.ts'
import { report } from './support/report.ts'
import { inRounds } from './support/rounds.ts'

const GIGABYTE = 2 ** 30
const TUNNELS = 4
const ROUNDS = 3
/** What a school fetches for each gigabyte that it sends: for the ratio over all. */
const DOWN_TO_UP = 3
/** For a slow reader, at either end. */
const SLOW_BYTES = GIGABYTE / 16

const starters = [startPreau, startPlainRelay, startSquid, startTinyproxy, startE2guardian]
await ask(starters, async (contestants, { originPort, load }) => {
  const move = (way: Way, bytes: number) => (to: Contestant) =>
    load('downAndUp', {
      port: to.port,
      authority: to.authority(originPort),
      way,
      bytes,
      atOnce: TUNNELS,
    })
  for (const contestant of contestants) {
    await move('down to a slow reader', SLOW_BYTES)(contestant)
    await move('up from a hasty writer', SLOW_BYTES)(contestant)
  }
  const cost = async (way: Way) => {
    const costs = await inRounds(contestants, ROUNDS, move(way, GIGABYTE))
    // An operation of the load generator is one tunnel's share.
    return (of: Contestant) => ({
      milliseconds: ((costs.get(of)?.micros ?? Number.NaN) / 1_000) * TUNNELS,
      rate: (costs.get(of)?.perSecond ?? Number.NaN) / TUNNELS,
    })
  }
  const down = await cost('down')
  const up = await cost('up')
  const all = (of: Contestant): number => DOWN_TO_UP * down(of).milliseconds + up(of).milliseconds
  const [ours] = contestants
  const rows = contestants.map(each => ({
    what: each.name,
    'down, CPU ms/GB': rounded(down(each).milliseconds),
    'up, CPU ms/GB': rounded(up(each).milliseconds),
    'Préau / it, down': rounded(down(ours!).milliseconds / down(each).milliseconds, 2),
    up: rounded(up(ours!).milliseconds / up(each).milliseconds, 2),
    [`${DOWN_TO_UP} down + 1 up`]: rounded(all(ours!) / all(each), 2),
    'GB/s down': rounded(down(each).rate, 2),
    'GB/s up': rounded(up(each).rate, 2),
    'resident MB': rounded(residentMegabytes(each.pid)),
  }))
  const title = `1 GB down, then 1 GB up through ${TUNNELS} tunnels, all bytes right (also with a slow reader and a hasty writer), median of ${ROUNDS}`
  report(title, contestants, rows)
})
