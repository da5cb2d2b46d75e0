/** What a scenario tells: one row of the table. */
import { openStore } from '../../../src/store/open-store.ts'
import { loadConfig } from '../../../src/config.ts'
import type { City } from '../city.ts'
import { compare } from '../ledger/compare.ts'
import type { Load } from '../load/load.ts'
import type { Fault } from '../load/watch.ts'

export interface Outcome {
  readonly what: string
  readonly times: number
  /** Acknowledged things that were compared with the store, and one line for each that is not there as it should be. */
  readonly acknowledged: number
  readonly lost: readonly string[]
  readonly verdicts: number
  /** Wrong verdicts, allowed requests that failed, tunnels that broke by themselves, clicks without an honest answer. */
  readonly faults: readonly Fault[]
  readonly faultCount: number
  readonly cut: number
  readonly unserved: number
  readonly verdictMs: Spread
  readonly disturbedVerdictMs: Spread
  /** Until all worked again, each time. */
  readonly recoveriesMs: readonly number[]
}

export interface Spread {
  readonly median: number
  readonly p99: number
  readonly worst: number
}

/** Ends the load and compares its ledger with the store, while Préau still runs. */
export async function conclude(
  what: string,
  city: City,
  load: Load,
  recoveriesMs: readonly number[],
): Promise<Outcome> {
  await load.stop()
  const store = await openStore(loadConfig(city.configFile, {}))
  const { lost, compared } = await compare(load.ledger, store)
  await store.close()
  const { watch } = load
  return {
    what,
    times: recoveriesMs.length,
    acknowledged: compared,
    lost,
    verdicts: watch.verdicts,
    faults: watch.faults,
    faultCount: watch.faultCount,
    cut: watch.cut,
    unserved: watch.unserved,
    verdictMs: spreadOf(watch.calm),
    disturbedVerdictMs: spreadOf(watch.disturbed),
    recoveriesMs,
  }
}

function spreadOf(histogram: {
  percentile(p: number): number
  max: number
  count: number
}): Spread {
  if (histogram.count === 0) return { median: 0, p99: 0, worst: 0 }
  const ms = (micros: number): number => micros / 1_000
  return {
    median: ms(histogram.percentile(50)),
    p99: ms(histogram.percentile(99)),
    worst: ms(histogram.max),
  }
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

/** One line for the figures of a test. */
export function describe(outcome: Outcome): string {
  const { what, times, acknowledged, lost, verdicts, faultCount, cut, unserved } = outcome
  const { verdictMs, disturbedVerdictMs, recoveriesMs } = outcome
  const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
  const spread = ({ median, p99, worst }: Spread): string =>
    `${ms(median)}, p99 ${ms(p99)}, worst ${ms(worst)}`
  const parts = [
    `${what}: ${times} times`,
    `${acknowledged} acknowledged, ${lost.length} lost`,
    `${verdicts} verdicts, ${faultCount} wrong or failed, ${cut} cut with their process, ${unserved} found nobody`,
    `recovery ${ms(median(recoveriesMs))}, worst ${ms(Math.max(0, ...recoveriesMs))}`,
    `verdict ${spread(verdictMs)}; meanwhile ${spread(disturbedVerdictMs)}`,
  ]
  return parts.join('; ')
}
