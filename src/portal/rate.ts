/** How many clicks a PC makes in a time, counted by all workers and machines together. A flood costs the store nothing. */
import { LRUCache } from 'lru-cache'
import { networkOf } from '../policy/address.ts'
import type { Host } from '../policy/host.ts'
import type { Permits } from '../store/store.ts'

const MINUTE_MS = 60_000
const MAX_PCS = 10_000

/** Answers whether one more click of this PC is within the bound. `now` in epoch ms. Throws what the store throws. */
export type ClickRate = (ip: Host, now: number) => Promise<boolean>

export interface ClickRule {
  /** Of the key, e.g. `click`. */
  readonly name: string
  /** 0: no bound. */
  readonly max: number
  readonly windowMs?: number
}

/** `max` clicks of a PC within `windowMs`. A PC that is over is remembered here until its window ends. */
export function createClickRate(
  permits: Permits,
  { name, max, windowMs = MINUTE_MS }: ClickRule,
): ClickRate {
  if (max === 0) return async () => true
  const over = new LRUCache<string, { readonly since: number; readonly until: number }>({
    max: MAX_PCS,
  })
  /** Questions under way by PC: as many entries as there are requests waiting, at most. */
  const asking = new Map<string, number>()
  return async (ip, now) => {
    const pc = networkOf(ip)
    const known = over.get(pc)
    // A clock that was set back must not keep anybody out for longer.
    if (known !== undefined && now >= known.since && now < known.until) return false
    const waiting = asking.get(pc) ?? 0
    // As many at the same moment as in a whole window: one more is a flood, whatever the store will say.
    if (waiting >= max) return false
    asking.set(pc, waiting + 1)
    try {
      const { isTaken, leftMs } = await permits.take(`${name}:${pc}`, { max, windowMs })
      if (!isTaken) over.set(pc, { since: now, until: now + leftMs })
      return isTaken
    } finally {
      const rest = (asking.get(pc) ?? 1) - 1
      if (rest === 0) asking.delete(pc)
      else asking.set(pc, rest)
    }
  }
}
