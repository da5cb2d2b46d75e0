/** All that a proxy worker counts and tells of itself, for the process that gathers it and for the log. */
import type { Logger } from 'pino'
import { FaultLog } from '../fault-log.ts'
import type { Sample } from '../metrics.ts'
import type { CategoryId } from '../policy/category.ts'
import type { Host } from '../policy/host.ts'
import { decide } from '../policy/verdict.ts'
import type { Dial } from '../proxy/dial.ts'
import type { ParentFault } from '../proxy/parent-health.ts'
import type { ProxyServer } from '../proxy/server.ts'
import type { Parent } from '../proxy/ways.ts'
import type { Authority } from '../tls/authority.ts'
import { DecideTimes } from './decide-times.ts'
import { DialTimes } from './dial-times.ts'
import { watchProcess } from './process-gauges.ts'
import { Tally, type ReachedLimit } from './tally.ts'

export interface WorkerMetrics {
  readonly count: Tally['count']
  readonly onLimit: (limit: ReachedLimit) => void
  /** The same verdicts, with the times of some counted. */
  readonly decide: typeof decide
  /** The DNS said nothing of a name in all its time. */
  readonly onMute: (host: Host) => void
  /** A parent proxy is left out, or well again. */
  readonly onParent: (parent: Parent, fault: ParentFault | undefined) => void
  /** Where to ask how many names the DNS is being asked for. */
  watchLookups(pending: () => number): void
  /** So many lines of the access log found no place. */
  lostLines(lines: number): void
  /** The same dial, with its times counted. */
  timed(dial: Dial): Dial
  /** The same authority, with its leaves counted. */
  counted(authority: Pick<Authority, 'issueLeaf'>): Pick<Authority, 'issueLeaf'>
  /** Never rejects. */
  read(proxy: Pick<ProxyServer, 'server' | 'openExchanges'>): Promise<Sample[]>
  close(): void
}

/** `categories`: those of the catalogue. */
export function createWorkerMetrics(
  categories: Iterable<CategoryId>,
  logger: Logger,
): WorkerMetrics {
  const tally = new Tally(categories)
  const dialTimes = new DialTimes()
  const decideTimes = new DecideTimes()
  let lostLines = 0
  let muteLookups = 0
  let pendingLookups: (() => number) | undefined
  const gauges = watchProcess()
  const limits = new FaultLog({ logger, level: 'warn', text: 'limits were reached' })
  const lost = new FaultLog({ logger, level: 'error', text: 'lines of the access log were lost' })
  const mute = new FaultLog({ logger, level: 'warn', text: 'the DNS did not answer' })
  return {
    onParent({ name }, fault) {
      if (fault === undefined) logger.info({ parent: name }, 'a parent proxy answers again')
      else logger.warn({ parent: name, fault }, 'a parent proxy is left out')
    },
    count: (exchange, entry) => tally.count(exchange, entry),
    onLimit(limit) {
      limits.note(limit)
      tally.reached(limit)
    },
    decide: decideTimes.time(decide),
    onMute: host => {
      // Whose servers are mute is told by the end of the name; its beginning may be made up anew for each question.
      mute.note(host.split('.').slice(-2).join('.'))
      muteLookups++
    },
    watchLookups(pending) {
      pendingLookups = pending
    },
    lostLines(lines) {
      lost.note('lines', lines)
      lostLines += lines
    },
    timed: dial => dialTimes.time(dial),
    counted: authority => ({
      issueLeaf(host, now) {
        tally.issuedLeaf()
        return authority.issueLeaf(host, now)
      },
    }),
    read: async proxy => [
      ...tally.samples(),
      ...dialTimes.samples(),
      ...decideTimes.samples(),
      { name: 'preau_access_log_lost_lines_total', value: lostLines },
      { name: 'preau_dns_pending', value: pendingLookups?.() ?? 0 },
      { name: 'preau_dns_unanswered_total', value: muteLookups },
      { name: 'preau_exchanges_open', value: proxy.openExchanges },
      { name: 'preau_connections_open', value: await connectionsOf(proxy) },
      ...(await gauges.samples()),
    ],
    close() {
      limits.close()
      lost.close()
      mute.close()
      gauges.close()
    },
  }
}

const connectionsOf = ({ server }: Pick<ProxyServer, 'server'>): Promise<number> =>
  new Promise(resolve => server.getConnections((error, count) => resolve(error ? 0 : count)))
