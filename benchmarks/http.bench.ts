/** What does a plain GET on a kept connection cost? Against squid, and against `http-proxy` on Node without a filter. */
import { startPlainForward, startSquid } from './support/contestants/peers.ts'
import { startPreau } from './support/contestants/preau.ts'
import { ask } from './support/question.ts'
import { report } from './support/report.ts'
import { inRounds, rowsOf } from './support/rounds.ts'

const REQUESTS = 8_000
const AT_ONCE = 32
const ROUNDS = 7

await ask([startPreau, startPlainForward, startSquid], async (contestants, surroundings) => {
  const { originPort, load } = surroundings
  const costs = await inRounds(contestants, ROUNDS, ({ port, authority }) =>
    load('keepAlive', {
      port,
      authority: authority(originPort),
      count: REQUESTS,
      atOnce: AT_ONCE,
      expected: { status: 200 },
    }),
  )
  const title = `plain GET of 1 kB, ${AT_ONCE} kept connections, median of ${ROUNDS} x ${REQUESTS}`
  report(title, contestants, rowsOf(costs))
})
