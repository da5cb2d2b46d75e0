/** Builds a category index in memory, key by key (no host is kept), and writes it so that a crash leaves no half file. */
import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { CategoryId } from '../../policy/category.ts'
import type { Host } from '../../policy/host.ts'
import { syncFolder, writeDurably } from '../durable-file.ts'
import { hostKey } from './host-key.ts'
import { firstSlot, FORMAT_VERSION, MAGIC, MAX_SETS, PREAMBLE_BYTES } from './index-format.ts'
import type { IndexHeader } from './index-format.ts'

const FIRST_SLOTS = 2 ** 12
const MAX_LOAD = 0.72

export class IndexWriter {
  readonly #categories: readonly CategoryId[]
  readonly #positions: ReadonlyMap<CategoryId, number>
  readonly #sets: number[][] = [[]]
  readonly #numbers = new Map<string, number>([['', 0]])
  readonly #unions = new Map<number, number>()
  #keys = new Uint32Array(2 * FIRST_SLOTS)
  #values = new Uint16Array(FIRST_SLOTS)
  #hosts = 0

  constructor(categories: readonly CategoryId[]) {
    this.#categories = categories.toSorted()
    this.#positions = new Map(this.#categories.map((id, position) => [id, position]))
  }

  get hosts(): number {
    return this.#hosts
  }

  /** Adds a host to a category. False when it was there already. */
  add(host: Host, category: CategoryId): boolean {
    const position = this.#positions.get(category)
    if (position === undefined) throw new RangeError(`unknown category ${category}`)
    if (this.#hosts >= this.#values.length * MAX_LOAD) this.#grow()
    const { high, low } = hostKey(host)
    const slot = findSlot(this.#keys, this.#values, high, low)
    const before = this.#values[slot] ?? 0
    const after = this.#with(before, position)
    if (after === before) return false
    if (before === 0) {
      this.#hosts++
      this.#keys[2 * slot] = high
      this.#keys[2 * slot + 1] = low
    }
    this.#values[slot] = after
    return true
  }

  /** Writes the index next to its final name, then renames it. Returns its size in bytes. */
  async write(file: string): Promise<number> {
    const parts = this.#parts()
    const temporary = `${file}.partial`
    await writeDurably(temporary, parts)
    await rename(temporary, file)
    await syncFolder(dirname(file))
    return parts.reduce((sum, part) => sum + part.byteLength, 0)
  }

  #parts(): Uint8Array[] {
    const header: IndexHeader = {
      categories: [...this.#categories],
      sets: this.#sets,
      hosts: this.#hosts,
    }
    const json = JSON.stringify(header)
    // Category ids are ASCII, so characters are bytes; the padding keeps the keys aligned.
    const text = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8))
    const preamble = new Uint8Array(PREAMBLE_BYTES)
    const view = new DataView(preamble.buffer)
    view.setUint32(0, MAGIC, true)
    view.setUint32(4, FORMAT_VERSION, true)
    view.setUint32(8, text.length, true)
    view.setUint32(12, this.#values.length, true)
    const body = [preamble, text, bytesOf(this.#keys), bytesOf(this.#values)]
    const trailer = new Uint8Array(4)
    const checksum = body.reduce((crc, part) => crc32(part, crc), 0)
    new DataView(trailer.buffer).setUint32(0, checksum, true)
    return [...body, trailer]
  }

  /** The number of the set `number` with one category more. */
  #with(number: number, position: number): number {
    const pair = number * 1_024 + position
    const known = this.#unions.get(pair)
    if (known !== undefined) return known
    const set = [...new Set([...(this.#sets[number] ?? []), position])].sort((a, b) => a - b)
    const id = set.join()
    let result = this.#numbers.get(id)
    if (result === undefined) {
      result = this.#sets.length
      if (result >= MAX_SETS) throw new RangeError('too many combinations of categories')
      this.#sets.push(set)
      this.#numbers.set(id, result)
    }
    this.#unions.set(pair, result)
    return result
  }

  #grow(): void {
    const keys = new Uint32Array(this.#keys.length * 2)
    const values = new Uint16Array(this.#values.length * 2)
    for (let i = 0; i < this.#values.length; i++) {
      const value = this.#values[i] ?? 0
      if (value === 0) continue
      const high = this.#keys[2 * i] ?? 0
      const low = this.#keys[2 * i + 1] ?? 0
      const slot = findSlot(keys, values, high, low)
      keys[2 * slot] = high
      keys[2 * slot + 1] = low
      values[slot] = value
    }
    this.#keys = keys
    this.#values = values
  }
}

/** The slot that holds the key, or the empty one where it belongs (linear probing). */
function findSlot(keys: Uint32Array, values: Uint16Array, high: number, low: number): number {
  let slot = firstSlot(high, low, values.length)
  while (values[slot] !== 0 && (keys[2 * slot] !== high || keys[2 * slot + 1] !== low)) {
    slot = (slot + 1) & (values.length - 1)
  }
  return slot
}

function bytesOf(array: Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
