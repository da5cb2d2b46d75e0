/** What does a refusal cost: the block page, a refused CONNECT without TLS, and the page inside TLS with its certificate? */
import type { Contestant } from './support/contestants/contestant.ts'
import { startPreau } from './support/contestants/preau.ts'
import { SQUID_REFUSES, startSquid } from './support/contestants/peers.ts'
import { startSurroundings } from './support/processes.ts'
import type { Figures } from './support/load/figures.ts'
import { report } from './support/report.ts'
import { inRounds, rowsOf, type Cost } from './support/rounds.ts'

/** A game: refused to the pupils of the policy of a first start, whatever lists are in force. */
const GAMES = 'jeux.fr'
const ROUNDS = 5
const AT_ONCE = 16
const GETS = 12_000
const CONNECTS = 6_000
const PAGES = 300

const surroundings = await startSurroundings()
const preau = await startPreau()
const squid = await startSquid()
const { load } = surroundings

/** One row a contestant, ratios against Préau's. */
async function rows(
  what: string,
  contestants: readonly Contestant[],
  work: (contestant: Contestant, host: string) => Promise<Figures>,
): Promise<Record<string, string | number>[]> {
  const costs: ReadonlyMap<Contestant, Cost> = await inRounds(contestants, ROUNDS, contestant =>
    work(contestant, contestant === preau ? `www.${GAMES}` : `www.${SQUID_REFUSES}`),
  )
  return rowsOf(costs).map(row => ({ ...row, what: `${what}: ${row['what']}` }))
}

try {
  const both = squid === undefined ? [preau] : [preau, squid]
  let series = 0
  const pages = (isSame: boolean) => () =>
    load('pages', {
      port: preau.port,
      count: PAGES,
      atOnce: AT_ONCE,
      prefix: isSame ? 'kept' : `new${series++}-`,
      domain: GAMES,
      isSame,
      caPem: preau.caPem,
    })
  const all = [
    ...(await rows('GET, block page', both, ({ port }, host) =>
      load('keepAlive', {
        port,
        authority: host,
        count: GETS,
        atOnce: AT_ONCE,
        expected: { status: 403, has: host },
      }),
    )),
    ...(await rows('CONNECT, no TLS, 403', both, ({ port }, host) =>
      load('refusedConnects', { port, authority: `${host}:443`, count: CONNECTS, atOnce: AT_ONCE }),
    )),
    ...(await rows('CONNECT, TLS page, first sight', [preau], pages(false))),
    ...(await rows('CONNECT, TLS page, leaf kept', [preau], pages(true))),
  ]
  const title = `refusals, ${AT_ONCE} at a time (GET: on kept connections; CONNECT: on new ones), median of ${ROUNDS} x ${GETS}, ${CONNECTS} and ${PAGES}`
  report(title, both, all)
} finally {
  await Promise.all([preau.stop(), squid?.stop(), surroundings.stop()])
}
