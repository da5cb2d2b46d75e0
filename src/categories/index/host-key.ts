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

/** `parentLow`: the same half of the key of the name without its first label. */
export interface NameKey extends Key {
  readonly parentLow: number
}

/** Reused: read it before the next call. */
const own = { high: 0, low: 0, parentLow: 0 }
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

/** The state of the hash behind the end of a name: what stands before it is added from right to left. */
export interface NameState {
  readonly high: number
  readonly low: number
}
export const NO_NAME: NameState = { high: SEED_HIGH, low: SEED_LOW }

/** The state once `text` from `start` to before `end` stands before the name. */
export function prepend(state: NameState, text: string, start = 0, end = text.length): NameState {
  let { high, low } = state
  for (let i = end - 1; i >= start; i--) {
    const code = text.charCodeAt(i)
    high = nextHigh(high, code)
    low = nextLow(low, code)
  }
  return { high, low }
}

/** The lower half of the key of a name. */
export const lowOf = ({ high, low }: NameState): number => mix(low ^ high)

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

/** `0.` or `127.`: an address may stand before the name without a blank, which only the parser can tell. */
function startsLikeSink(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 48) return bytes[at + 1] === DOT
  return bytes[at] === 49 && bytes[at + 1] === 50 && bytes[at + 2] === 55 && bytes[at + 3] === DOT
}

/**
 * The key of the host that stands in `bytes` from `start` to before `end`, without making a string; undefined for all but
 * the plain spelling (lower-case ASCII, a dot, a last label that begins with no digit), which only the parser can judge.
 * The answer is one reused object.
 */
export function keyOfBytes(bytes: Uint8Array, start: number, end: number): NameKey | undefined {
  if (end - start > MAX_NAME) return undefined
  let high = SEED_HIGH
  let low = SEED_LOW
  let dots = 0
  let label = 0
  let right = 0
  let parentHigh = high
  let parentLow = low
  for (let i = end - 1; i >= start; i--) {
    const code = bytes[i] ?? 0
    const kind = KINDS[code] ?? 0
    if (kind === 0) return undefined
    if (kind === LABEL_END) {
      if (label === 0 || (dots === 0 && right === DIGIT)) return undefined
      dots++
      label = 0
      parentHigh = high
      parentLow = low
    } else if (++label > MAX_LABEL) return undefined
    right = kind
    high = nextHigh(high, code)
    low = nextLow(low, code)
  }
  if (label === 0 || dots === 0 || startsLikeSink(bytes, start)) return undefined
  own.high = mix(high)
  own.low = mix(low ^ high)
  own.parentLow = mix(parentLow ^ parentHigh)
  return own
}
