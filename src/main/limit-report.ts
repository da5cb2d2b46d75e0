/** Tells the log, once a minute at most, which limits clients have run into: a flood must not become a flood of lines. */
import type { Logger } from 'pino'
import type { ReachedLimit } from './tally.ts'

const EVERY_MS = 60_000

export interface LimitReport {
  readonly count: (limit: ReachedLimit) => void
  close(): void
}

export function createLimitReport(logger: Logger): LimitReport {
  const times = new Map<ReachedLimit, number>()
  const report = (): void => {
    if (times.size > 0) logger.warn({ times: Object.fromEntries(times) }, 'limits were reached')
    times.clear()
  }
  const timer = setInterval(report, EVERY_MS).unref()
  return {
    count: limit => times.set(limit, (times.get(limit) ?? 0) + 1),
    close() {
      clearInterval(timer)
      report()
    },
  }
}
