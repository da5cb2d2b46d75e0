/** The counters of a store in memory, on a clock that a test sets: windows of minutes pass without waiting for them. */
import type { Permits } from '../../src/store/store.ts'

interface Window {
  readonly count: number
  readonly endsAt: number
}

export interface MemoryPermits extends Permits {
  /** How many times each function was called. */
  readonly calls: { take: number; giveBack: number; clear: number }
  /** The keys that are taken now. */
  keys(): string[]
}

export function memoryPermits(clock: () => number): MemoryPermits {
  const windows = new Map<string, Window>()
  const calls = { take: 0, giveBack: 0, clear: 0 }
  const read = (key: string): Window | undefined => {
    const found = windows.get(key)
    return found !== undefined && clock() < found.endsAt ? found : undefined
  }
  return {
    calls,
    keys: () => [...windows.keys()].filter(key => read(key) !== undefined),
    async take(key, { max, windowMs, isSliding = false }) {
      calls.take++
      const found = read(key)
      const left = (endsAt: number): number => endsAt - clock()
      const before = found?.count ?? 0
      if (before >= max)
        return { isTaken: false, taken: before, leftMs: found ? left(found.endsAt) : 0 }
      const endsAt = found === undefined || isSliding ? clock() + windowMs : found.endsAt
      const count = before + 1
      windows.set(key, { count, endsAt })
      return { isTaken: true, taken: count, leftMs: left(endsAt) }
    },
    async giveBack(key) {
      calls.giveBack++
      const found = read(key)
      if (found === undefined) return
      if (found.count <= 1) windows.delete(key)
      else windows.set(key, { ...found, count: found.count - 1 })
    },
    async clear(key) {
      calls.clear++
      windows.delete(key)
    },
  }
}
