/** Interleaved rounds: every contestant does its piece of work in each, so that a slow minute is shared by all. */
import type { Contestant } from './contestants/contestant.ts'
import { cpuMicros, median, residentMegabytes, rounded } from './cpu.ts'
import type { Figures } from './load/figures.ts'

/** Medians of the rounds. */
export interface Cost {
  /** CPU of the proxy per operation, in microseconds. */
  readonly micros: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

async function costOf({ pid }: Contestant, work: () => Promise<Figures>): Promise<Cost> {
  const before = cpuMicros(pid)
  const { count, seconds, p50, p99 } = await work()
  return { micros: (cpuMicros(pid) - before) / count, perSecond: count / seconds, p50, p99 }
}

/** `rounds` rounds after one that does not count; the one who begins changes. */
export async function inRounds(
  contestants: readonly Contestant[],
  rounds: number,
  work: (contestant: Contestant) => Promise<Figures>,
): Promise<Map<Contestant, Cost>> {
  const all = new Map(contestants.map(each => [each, [] as Cost[]]))
  for (const contestant of contestants) await work(contestant)
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const contestant = contestants[(round + i) % contestants.length]
      if (contestant === undefined) continue
      all.get(contestant)?.push(await costOf(contestant, () => work(contestant)))
    }
  }
  return new Map([...all].map(([contestant, costs]) => [contestant, medians(costs)]))
}

function medians(costs: readonly Cost[]): Cost {
  const of = (key: keyof Cost): number => median(costs.map(cost => cost[key]))
  return { micros: of('micros'), perSecond: of('perSecond'), p50: of('p50'), p99: of('p99') }
}

/** The rows of a table; the ratio is that of the first contestant to each. */
export function rowsOf(costs: ReadonlyMap<Contestant, Cost>): Record<string, string | number>[] {
  const [first] = costs.values()
  return [...costs].map(([{ name, pid }, cost]) => ({
    what: name,
    'CPU µs': rounded(cost.micros),
    'Préau / it': rounded((first?.micros ?? Number.NaN) / cost.micros, 2),
    'per second': rounded(cost.perSecond),
    'p50 ms': rounded(cost.p50, 1),
    'p99 ms': rounded(cost.p99, 1),
    'resident MB': rounded(residentMegabytes(pid)),
  }))
}
