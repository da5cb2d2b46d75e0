/** Chance that can be repeated: the same seed gives the same inputs on every machine. */

export interface Random {
  /** A whole number from 0 to before `end`. */
  below(end: number): number
  /** True once in `times`. */
  oneIn(times: number): boolean
  pick<T>(items: readonly T[]): T
}

/** mulberry32: 32 bits of state are plenty for a seed of its own per input. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (end: number): number => (end <= 1 ? 0 : next() % end)
  return {
    below,
    oneIn: times => below(times) === 0,
    pick: items => {
      if (items.length === 0) throw new TypeError('nothing to pick from')
      return items[below(items.length)] as (typeof items)[number]
    },
  }
}

/** FNV-1a: how an input is sent (its pieces, its end) follows from its bytes, so that they are all that must be kept. */
export function seedOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
