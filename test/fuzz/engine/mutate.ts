/** Makes an input out of a seed: a few small damages, the words of the format put where they do not belong, seeds crossed. */
import type { Random } from './random.ts'

export interface Mutation {
  /** Right inputs, and wrong ones worth starting from. */
  readonly seeds: readonly Uint8Array[]
  /** What means something in the format. */
  readonly words: readonly string[]
  readonly maxBytes?: number
}

const MAX_BYTES = 40_000
const ODD_BYTES = [
  0, 1, 9, 10, 11, 13, 32, 34, 35, 37, 45, 46, 47, 58, 64, 91, 92, 93, 127, 128, 255,
]

type Change = (bytes: Buffer, random: Random, mutation: Mutation) => Buffer

const splice = (bytes: Buffer, from: number, to: number, middle: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)])

/** A stretch, mostly short. */
function stretch(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(bytes.length + 1)
  const longest = random.oneIn(4) ? bytes.length : 16
  return [from, Math.min(bytes.length, from + 1 + random.below(longest))]
}

function setByte(bytes: Buffer, random: Random, value: (old: number) => number): Buffer {
  if (bytes.length === 0) return bytes
  const copy = Buffer.from(bytes)
  const at = random.below(copy.length)
  copy[at] = value(copy[at] ?? 0)
  return copy
}

const CHANGES: readonly Change[] = [
  (bytes, random) => setByte(bytes, random, old => old ^ (1 << random.below(8))),
  (bytes, random) => setByte(bytes, random, () => random.pick(ODD_BYTES)),
  (bytes, random) => setByte(bytes, random, old => old + (random.oneIn(2) ? 1 : -1)),
  (bytes, random) => {
    const at = random.below(bytes.length + 1)
    return splice(bytes, at, at, Buffer.from([random.pick(ODD_BYTES)]))
  },
  (bytes, random) => splice(bytes, ...stretch(bytes, random), Buffer.alloc(0)),
  (bytes, random) => {
    const [from, to] = stretch(bytes, random)
    const at = random.below(bytes.length + 1)
    return splice(bytes, at, at, bytes.subarray(from, to))
  },
  (bytes, random) => {
    const [from, to] = stretch(bytes, random)
    const times = 1 + random.below(random.oneIn(20) ? 400 : 4)
    const copies = Array<Buffer>(times).fill(bytes.subarray(from, to))
    return splice(bytes, to, to, Buffer.concat(copies))
  },
  (bytes, random, { words }) => {
    const at = random.below(bytes.length + 1)
    return splice(bytes, at, at, Buffer.from(random.pick(words), 'latin1'))
  },
  (bytes, random, { words }) =>
    splice(bytes, ...stretch(bytes, random), Buffer.from(random.pick(words), 'latin1')),
  replaceWord,
  replaceWord,
  (bytes, random, { seeds }) => {
    const other = random.pick(seeds)
    const from = random.below(other.length + 1)
    return splice(bytes, random.below(bytes.length + 1), bytes.length, other.subarray(from))
  },
  (bytes, random, { seeds }) => Buffer.concat([bytes, random.pick(seeds)]),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
]

/** One word of the format in place of another: what keeps an input right on all but one point. */
function replaceWord(bytes: Buffer, random: Random, { words }: Mutation): Buffer {
  const start = random.below(words.length)
  for (let i = 0; i < words.length; i++) {
    const word = Buffer.from(words[(start + i) % words.length] ?? '', 'latin1')
    const at = word.length === 0 ? -1 : bytes.indexOf(word, random.below(bytes.length))
    if (at === -1) continue
    return splice(bytes, at, at + word.length, Buffer.from(random.pick(words), 'latin1'))
  }
  return bytes
}

/** A seed with one to eight changes; now and then the seed itself, and noise. */
export function mutate(random: Random, mutation: Mutation): Buffer {
  if (random.oneIn(200))
    return Buffer.from(Array.from({ length: random.below(600) }, () => random.below(256)))
  let bytes = Buffer.from(random.pick(mutation.seeds))
  if (random.oneIn(50)) return bytes
  const changes = random.oneIn(2) ? 1 : 1 + random.below(8)
  for (let i = 0; i < changes; i++)
    bytes = Buffer.from(random.pick(CHANGES)(bytes, random, mutation))
  return bytes.subarray(0, mutation.maxBytes ?? MAX_BYTES)
}

/** Seeds written as text of one byte a character. */
export const latin1 = (texts: readonly string[]): Buffer[] =>
  texts.map(text => Buffer.from(text, 'latin1'))
