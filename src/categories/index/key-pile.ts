/** Millions of (key, tag) triples in flat arrays: piled up without ever copying, then sorted by buckets. */
import { PreauError } from '../../errors.ts'
import { bucketBitsFor, MAX_RECORDS } from './index-format.ts'

const CHUNK = 2 ** 16
/** Beyond this a bucket is no accident of the hash, and sorting by insertion would take too long. */
const CROWDED = 64

export interface SortedKeys {
  readonly bucketBits: number
  /** The first key of each bucket, and one more at the end. */
  readonly directory: Uint32Array
  readonly high: Uint32Array
  readonly low: Uint32Array
  readonly tag: Uint16Array
  /** Room for the records, two Uint32 a key. */
  readonly records: Uint32Array
}

export class KeyPile {
  readonly #chunks: Uint32Array[] = []
  #chunk = new Uint32Array(0)
  #used = CHUNK

  get #size(): number {
    return this.#chunks.length === 0 ? 0 : (this.#chunks.length - 1) * CHUNK + this.#used
  }

  add(high: number, low: number, tag: number): void {
    if (this.#used === CHUNK) {
      if (this.#size >= MAX_RECORDS) throw tooMany()
      this.#chunk = new Uint32Array(3 * CHUNK)
      this.#chunks.push(this.#chunk)
      this.#used = 0
    }
    const at = 3 * this.#used++
    this.#chunk[at] = high
    this.#chunk[at + 1] = low
    this.#chunk[at + 2] = tag
  }

  /** Sorts by key, then tag. The pile is empty afterwards, so that its memory is there for the records. */
  sort(): SortedKeys {
    const size = this.#size
    const bucketBits = bucketBitsFor(size)
    const shift = 32 - bucketBits
    const directory = this.#countBuckets(shift, 2 ** bucketBits)
    const next = directory.slice()
    const high = new Uint32Array(size)
    const low = new Uint32Array(size)
    const tag = new Uint16Array(size)
    for (const [i, chunk] of this.#chunks.entries()) {
      const used = i === this.#chunks.length - 1 ? this.#used : CHUNK
      for (let at = 0; at < 3 * used; at += 3) {
        const keyHigh = chunk[at] ?? 0
        const bucket = keyHigh >>> shift
        const to = next[bucket] ?? 0
        next[bucket] = to + 1
        high[to] = keyHigh
        low[to] = chunk[at + 1] ?? 0
        tag[to] = chunk[at + 2] ?? 0
      }
      this.#chunks[i] = EMPTY
    }
    this.#chunks.length = 0
    this.#used = CHUNK
    for (let bucket = 0; bucket < directory.length - 1; bucket++) {
      sortRange(high, low, tag, directory[bucket] ?? 0, directory[bucket + 1] ?? 0)
    }
    return { bucketBits, directory, high, low, tag, records: new Uint32Array(2 * size) }
  }

  #countBuckets(shift: number, buckets: number): Uint32Array {
    const directory = new Uint32Array(buckets + 1)
    for (const [i, chunk] of this.#chunks.entries()) {
      const used = i === this.#chunks.length - 1 ? this.#used : CHUNK
      for (let at = 0; at < 3 * used; at += 3) {
        const bucket = ((chunk[at] ?? 0) >>> shift) + 1
        directory[bucket] = (directory[bucket] ?? 0) + 1
      }
    }
    for (let bucket = 0; bucket < buckets; bucket++) {
      directory[bucket + 1] = (directory[bucket + 1] ?? 0) + (directory[bucket] ?? 0)
    }
    return directory
  }
}

function tooMany(): PreauError {
  const detail = {
    fr: `plus de ${MAX_RECORDS} domaines en tout`,
    en: `more than ${MAX_RECORDS} domains in all`,
  }
  return new PreauError('PREAU_LIST_REFUSED', { file: '*', detail })
}

const EMPTY = new Uint32Array(0)

function sortRange(
  high: Uint32Array,
  low: Uint32Array,
  tag: Uint16Array,
  from: number,
  to: number,
): void {
  if (to - from > CROWDED) {
    sortCrowded(high, low, tag, from, to)
    return
  }
  for (let i = from + 1; i < to; i++) {
    const h = high[i] ?? 0
    const l = low[i] ?? 0
    const t = tag[i] ?? 0
    let at = i
    while (at > from && isAfter(high[at - 1] ?? 0, low[at - 1] ?? 0, tag[at - 1] ?? 0, h, l, t)) {
      high[at] = high[at - 1] ?? 0
      low[at] = low[at - 1] ?? 0
      tag[at] = tag[at - 1] ?? 0
      at--
    }
    high[at] = h
    low[at] = l
    tag[at] = t
  }
}

function isAfter(h1: number, l1: number, t1: number, h2: number, l2: number, t2: number): boolean {
  return h1 !== h2 ? h1 > h2 : l1 !== l2 ? l1 > l2 : t1 > t2
}

function compare(array: ArrayLike<number>, a: number, b: number): number {
  return (array[a] ?? 0) - (array[b] ?? 0)
}

function sortCrowded(
  high: Uint32Array,
  low: Uint32Array,
  tag: Uint16Array,
  from: number,
  to: number,
): void {
  const [h, l, t] = [high.slice(from, to), low.slice(from, to), tag.slice(from, to)]
  const order = Uint32Array.from(h.keys()).sort(
    (a, b) => compare(h, a, b) || compare(l, a, b) || compare(t, a, b),
  )
  for (const [i, at] of order.entries()) {
    high[from + i] = h[at] ?? 0
    low[from + i] = l[at] ?? 0
    tag[from + i] = t[at] ?? 0
  }
}
