/** What does one tunnel cost: CONNECT, a small GET, close? CPU of the proxy's processes, against its peers in one run. */
import {
  startE2guardian,
  startPlainRelay,
  startSquid,
  startTinyproxy,
} from './support/contestants/peers.ts'
import { startPreau } from './support/contestants/preau.ts'
import { ask } from './support/question.ts'
import { report } from './support/report.ts'
import { inRounds, rowsOf } from './support/rounds.ts'

const TUNNELS = 4_000
const AT_ONCE = 64
const ROUNDS = 7

const starters = [startPreau, startPlainRelay, startSquid, startTinyproxy, startE2guardian]
await ask(starters, async (contestants, { originPort, load }) => {
  const costs = await inRounds(contestants, ROUNDS, ({ port, authority }) =>
    load('tunnels', { port, authority: authority(originPort), count: TUNNELS, atOnce: AT_ONCE }),
  )
  const title = `CONNECT + small GET + close, ${AT_ONCE} at a time, median of ${ROUNDS} x ${TUNNELS}`
  report(title, contestants, rowsOf(costs))
})
