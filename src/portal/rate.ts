/** How many clicks a PC makes in a time, in a table that cannot grow. */
import { LRUCache } from 'lru-cache'
import type { Host } from '../policy/host.ts'

const MINUTE_MS = 60_000
const MAX_PCS = 10_000

/** Answers whether one more click of this PC is within the bound. `now` in epoch ms. */
export type ClickRate = (ip: Host, now: number) => boolean

/** `max` clicks of a PC within `windowMs`; 0: no bound. */
export function createClickRate(max: number, windowMs = MINUTE_MS): ClickRate {
  if (max === 0) return () => true
  const windows = new LRUCache<Host, { readonly start: number; count: number }>({ max: MAX_PCS })
  return (ip, now) => {
    const window = windows.get(ip)
    if (window === undefined || now - window.start >= windowMs || now < window.start) {
      windows.set(ip, { start: now, count: 1 })
      return true
    }
    window.count += 1
    return window.count <= max
  }
}
