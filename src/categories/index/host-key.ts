/**
 * Hosts and pages as 64-bit keys. The hash of a host runs from the end of the name to its start, so that one pass gives
 * the key of every parent domain on the way. Two separate 32-bit halves: at 6 million keys a wrong hit is expected once
 * in 10^12 look-ups.
 */
import { isAddress, type Host } from '../../policy/host.ts'

const DOT = 46
const SEED_HIGH = 0x9747b28c
const SEED_LOW = 0x3c6ef372

/** murmur3's finaliser: every bit of the state moves every bit of the key. */
function mix(state: number): number {
  let h = state
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

// Two unlike rounds: FNV-1a's, and one of murmur3's kind.
const nextHigh = (high: number, code: number): number => Math.imul(high ^ code, 0x01000193)
const nextLow = (low: number, code: number): number =>
  (Math.imul((low << 13) | (low >>> 19), 5) + Math.imul(code + 0x2f, 0xcc9e2d51)) | 0

export type OnKey = (high: number, low: number) => void

/**
 * Visits the keys under which a host may be listed, widest domain first: `b.c`, then `a.b.c`. A single label is no key,
 * and an address has only its own.
 */
export function visitKeys(host: Host, visit: OnKey): void {
  const isWhole = isAddress(host)
  let high = SEED_HIGH
  let low = SEED_LOW
  let labels = 0
  for (let i = host.length - 1; i >= 0; i--) {
    const code = host.charCodeAt(i)
    if (code === DOT && ++labels > 1 && !isWhole) visit(mix(high), mix(low ^ high))
    high = nextHigh(high, code)
    low = nextLow(low, code)
  }
  if (labels > 0 || isWhole) visit(mix(high), mix(low ^ high))
}

export interface Key {
  readonly high: number
  readonly low: number
}

/** Reused: read it before the next call. */
const own = { high: 0, low: 0 }
const keepOwn = (high: number, low: number): void => {
  own.high = high
  own.low = low
}

/** The key of the host itself: the last one visited. The answer is one reused object. */
export function hostKey(host: Host): Key {
  own.high = 0
  own.low = 0
  visitKeys(host, keepOwn)
  return own
}

const LETTER = 1
const DIGIT = 2
const LABEL_END = 3
const KINDS = new Uint8Array(256)
for (let code = 97; code <= 122; code++) KINDS[code] = LETTER
KINDS[95] = LETTER // `_` and `-`, which real names have in any place
KINDS[45] = LETTER
for (let code = 48; code <= 57; code++) KINDS[code] = DIGIT
KINDS[DOT] = LABEL_END
const MAX_NAME = 253
const MAX_LABEL = 63

/**
 * The key of the host that stands in `bytes` from `start` to before `end`, without making a string; undefined for all but
 * the plain spelling (lower-case ASCII, a dot, a last label that begins with no digit), which only the parser can judge.
 * The answer is one reused object.
 */
export function keyOfBytes(bytes: Uint8Array, start: number, end: number): Key | undefined {
  if (end - start > MAX_NAME) return undefined
  let high = SEED_HIGH
  let low = SEED_LOW
  let dots = 0
  let label = 0
  let right = 0
  for (let i = end - 1; i >= start; i--) {
    const code = bytes[i] ?? 0
    const kind = KINDS[code] ?? 0
    if (kind === 0) return undefined
    if (kind === LABEL_END) {
      if (label === 0 || (dots === 0 && right === DIGIT)) return undefined
      dots++
      label = 0
    } else if (++label > MAX_LABEL) return undefined
    right = kind
    high = nextHigh(high, code)
    low = nextLow(low, code)
  }
  if (label === 0 || dots === 0) return undefined
  own.high = mix(high)
  own.low = mix(low ^ high)
  return own
}
