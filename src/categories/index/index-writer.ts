/** Gathers keys and what lists say of them, sorts them once, and writes the index so that a crash leaves no half file. */
import { rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Host } from '../../policy/host.ts'
import { syncFolder, writeDurably } from '../../durable-file.ts'
import { hostKey } from './host-key.ts'
import { FORMAT_VERSION, MAGIC, PREAMBLE_BYTES, TRAILER_BYTES } from './index-format.ts'
import type { IndexHeader, Tag } from './index-format.ts'
import { KeyPile } from './key-pile.ts'
import { pageKey, withoutWww } from './page-key.ts'
import { TagSets } from './tag-sets.ts'

/** What was sorted. `counts`: distinct keys by tag number. */
export interface Sealed {
  readonly hosts: number
  readonly pages: number
  readonly counts: ReadonlyMap<number, number>
}

interface Table {
  readonly bucketBits: number
  readonly directory: Uint32Array
  readonly records: Uint32Array
}

export class IndexWriter {
  readonly #sets = new TagSets()
  #pile = new KeyPile()
  #table: Table | undefined
  #sealed: Sealed | undefined

  /** The number of a tag; the same tag has the same number. */
  tag(tag: Tag): number {
    return this.#sets.tag(tag)
  }

  addHost(tag: number, host: Host): void {
    const { high, low } = hostKey(host)
    this.#pile.add(high, low, tag)
  }

  addKey(tag: number, high: number, low: number): void {
    this.#pile.add(high, low, tag)
  }

  /** Adds a page, and to its host that some page of it is listed. */
  addPage(pageTag: number, hostTag: number, host: Host, path: string): void {
    const page = pageKey(host, path)
    this.#pile.add(page.high, page.low, pageTag)
    this.addHost(hostTag, withoutWww(host))
  }

  /** Sorts and merges what was added; nothing may be added afterwards. */
  seal(): Sealed {
    if (this.#sealed !== undefined) return this.#sealed
    const sorted = this.#pile.sort()
    this.#pile = new KeyPile()
    const { directory, bucketBits, high, low, tag } = sorted
    const counts = new Map<number, number>()
    const buckets = directory.length - 1
    let from = 0
    let written = 0
    let hosts = 0
    let pages = 0
    const records = sorted.records
    for (let bucket = 0; bucket < buckets; bucket++) {
      const to = directory[bucket + 1] ?? 0
      directory[bucket] = written
      while (from < to) {
        const keyHigh = high[from] ?? 0
        const keyLow = low[from] ?? 0
        let set = 0
        let last = -1
        for (; from < to && high[from] === keyHigh && low[from] === keyLow; from++) {
          const number = tag[from] ?? 0
          if (number === last) continue
          last = number
          set = this.#sets.join(set, number)
          counts.set(number, (counts.get(number) ?? 0) + 1)
        }
        records[2 * written] = keyLow
        records[2 * written + 1] = (((keyHigh & 0xffff) << 16) | set) >>> 0
        written++
        if (this.#sets.hasKind(set, 'host')) hosts++
        if (this.#sets.hasKind(set, 'page')) pages++
      }
    }
    directory[buckets] = written
    this.#table = { bucketBits, directory, records: records.subarray(0, 2 * written) }
    return (this.#sealed = { hosts, pages, counts })
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
    const { hosts, pages } = this.seal()
    if (this.#table === undefined) throw new TypeError('not sealed')
    const { bucketBits, directory, records } = this.#table
    const header: IndexHeader = { tags: this.#sets.tags(), sets: this.#sets.sets(), hosts, pages }
    const json = Buffer.from(JSON.stringify(header))
    const text = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ')
    json.copy(text)
    const preamble = new Uint32Array(PREAMBLE_BYTES / 4)
    preamble.set([MAGIC, FORMAT_VERSION, text.length, bucketBits, records.length / 2])
    const body = [bytesOf(preamble), text, bytesOf(directory), bytesOf(records)]
    const trailer = new Uint8Array(TRAILER_BYTES)
    const checksum = body.reduce((crc, part) => crc32(part, crc), 0)
    new DataView(trailer.buffer).setUint32(0, checksum, true)
    return [...body, trailer]
  }
}

function bytesOf(array: Uint32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
