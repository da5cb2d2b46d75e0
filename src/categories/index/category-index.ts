/** The index of all lists, read into memory and checked; answers which categories a host is in, through an LRU. */
import { open } from 'node:fs/promises'
import { LRUCache } from 'lru-cache'
import { crc32 } from 'node:zlib'
import { detailOf } from '../../error-detail.ts'
import { causeOf, PreauError } from '../../errors.ts'
import type { CategoryId, CategoryLookup, CategorySet } from '../../policy/category.ts'
import type { Host } from '../../policy/host.ts'
import { visitKeys } from './host-key.ts'
import { firstSlot, FORMAT_VERSION, headerSchema, MAGIC, MAX_SLOTS } from './index-format.ts'
import { PREAMBLE_BYTES, SLOT_BYTES, TRAILER_BYTES, type IndexHeader } from './index-format.ts'

export interface CategoryIndex {
  readonly lookup: CategoryLookup
  readonly categories: readonly CategoryId[]
  /** Hosts in the index. */
  readonly hosts: number
  /** Size of the file, and nearly all of the memory that the index takes. */
  readonly bytes: number
}

export interface OpenOptions {
  /** Hosts whose answer is kept; 0: no cache. */
  readonly cacheEntries: number
}

const EMPTY: CategorySet = Object.freeze([])
const CHUNK_BYTES = 2 ** 22
/** Sets of hosts listed at several levels that are kept ready; others are made anew. */
const MAX_UNIONS = 4_096

/** Reads an index file. Throws PREAU_INDEX_DAMAGED when it is missing, cut short, changed, or of another format. */
export async function openCategoryIndex(
  file: string,
  { cacheEntries }: OpenOptions,
): Promise<CategoryIndex> {
  const bytes = await readChecked(file)
  const table = readTable(file, bytes)
  const find = createFinder(table)
  const { categories, hosts } = table.header
  return {
    lookup: cacheEntries === 0 ? find : cached(find, cacheEntries),
    categories,
    hosts,
    bytes: bytes.length,
  }
}

function cached(find: CategoryLookup, max: number): CategoryLookup {
  const cache = new LRUCache<Host, CategorySet>({ max })
  return host => {
    let set = cache.get(host)
    if (set === undefined) {
      set = find(host)
      cache.set(host, set)
    }
    return set
  }
}

const damaged = (file: string, detail: ReturnType<typeof detailOf>): PreauError =>
  new PreauError('PREAU_INDEX_DAMAGED', { file, detail })

/** Reads by chunks, so that the checksum of a big index never holds the event loop for long. */
async function readChecked(file: string): Promise<Uint8Array> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw damaged(file, detailOf(error))
  })
  try {
    const { size } = await handle.stat()
    if (size < PREAMBLE_BYTES + TRAILER_BYTES || size > MAX_SLOTS * SLOT_BYTES)
      throw damaged(file, `${size} bytes`)
    const bytes = new Uint8Array(size)
    const end = size - TRAILER_BYTES
    let crc = 0
    for (let at = 0; at < size;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK_BYTES, size - at), at)
      if (bytesRead === 0) throw damaged(file, 'cut short')
      crc = crc32(bytes.subarray(Math.min(at, end), Math.min(at + bytesRead, end)), crc)
      at += bytesRead
    }
    if (new DataView(bytes.buffer).getUint32(end, true) !== crc)
      throw damaged(file, 'wrong checksum')
    return bytes
  } catch (error) {
    throw error instanceof PreauError ? error : damaged(file, detailOf(error))
  } finally {
    await handle.close()
  }
}

interface Table {
  readonly header: IndexHeader
  readonly keys: Uint32Array
  readonly values: Uint16Array
}

function readTable(file: string, bytes: Uint8Array): Table {
  const view = new DataView(bytes.buffer)
  const [magic, version, headerBytes, slots] = [0, 4, 8, 12].map(at => view.getUint32(at, true))
  if (magic !== MAGIC) throw damaged(file, 'not an index')
  if (version !== FORMAT_VERSION) throw damaged(file, `format ${version}, not ${FORMAT_VERSION}`)
  if (headerBytes === undefined || slots === undefined || (slots & (slots - 1)) !== 0)
    throw damaged(file, 'bad preamble')
  const keysAt = PREAMBLE_BYTES + headerBytes
  if (headerBytes % 8 !== 0 || bytes.length !== keysAt + slots * SLOT_BYTES + TRAILER_BYTES)
    throw damaged(file, 'bad length')
  const header = readHeader(file, bytes.subarray(PREAMBLE_BYTES, keysAt))
  // Probing ends at an empty slot, so there must be one.
  if (header.hosts >= slots) throw damaged(file, 'no empty slot')
  return {
    header,
    keys: new Uint32Array(bytes.buffer, keysAt, 2 * slots),
    values: new Uint16Array(bytes.buffer, keysAt + 8 * slots, slots),
  }
}

function readHeader(file: string, bytes: Uint8Array): IndexHeader {
  try {
    return headerSchema.parse(JSON.parse(Buffer.from(bytes).toString()))
  } catch (error) {
    throw damaged(file, `bad header: ${causeOf(error)}`)
  }
}

function createFinder({ header, keys, values }: Table): CategoryLookup {
  const sets = header.sets.map(set =>
    set.length === 0 ? EMPTY : Object.freeze(set.map(at => header.categories[at] ?? '')),
  )
  const unions = new LRUCache<string, CategorySet>({ max: MAX_UNIONS })
  const mask = values.length - 1
  const unite = (a: CategorySet, b: CategorySet): CategorySet => {
    if (a === EMPTY || a === b) return b
    const ids = [...new Set([...a, ...b])].sort()
    const name = ids.join()
    const known = unions.get(name)
    if (known !== undefined) return known
    const set = Object.freeze(ids)
    unions.set(name, set)
    return set
  }
  let found = EMPTY
  const visit = (high: number, low: number): void => {
    let slot = firstSlot(high, low, values.length)
    for (let value = values[slot]; value !== 0 && value !== undefined; value = values[slot]) {
      if (keys[2 * slot] === high && keys[2 * slot + 1] === low) {
        found = unite(found, sets[value] ?? EMPTY)
        return
      }
      slot = (slot + 1) & mask
    }
  }
  return host => {
    found = EMPTY
    visitKeys(host, visit)
    return found
  }
}
