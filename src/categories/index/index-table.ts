/** Reads an index file into memory and checks all of it, so that no look-up can meet damage; finds the set of a key. */
import { open, type FileHandle } from 'node:fs/promises'
import { setImmediate as breathe } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { detailOf } from '../../error-detail.ts'
import { PreauError, type Words } from '../../errors.ts'
import {
  FORMAT_VERSION,
  headerSchema,
  isBucketBits,
  MAGIC,
  MAX_INDEX_BYTES,
} from './index-format.ts'
import { PREAMBLE_BYTES, RECORD_BYTES, TRAILER_BYTES, type IndexHeader } from './index-format.ts'

export interface IndexTable {
  readonly header: IndexHeader
  readonly bucketBits: number
  /** The first record of each bucket, and one more at the end. */
  readonly directory: Uint32Array
  readonly records: Uint32Array
  /** Size of the file. */
  readonly bytes: number
  /** The number of the set of a key; 0 when it is in no list. */
  readonly find: (high: number, low: number) => number
}

const CHUNK_BYTES = 2 ** 21
const SLICE = 2 ** 19

/** Lengths or numbers in it do not fit each other. */
const WRONG: Words = { fr: 'contenu incohérent', en: 'its parts do not fit' }

const damaged = (file: string, detail: Words): PreauError =>
  new PreauError('PREAU_INDEX_DAMAGED', { file, detail })

/** Throws PREAU_INDEX_DAMAGED when the file is missing, cut short, changed, or of another format. */
export async function readTable(file: string): Promise<IndexTable> {
  const bytes = await readChecked(file)
  const words = new Uint32Array(bytes.buffer, 0, PREAMBLE_BYTES / 4)
  const [magic, version, headerBytes = 0, bucketBits = 0, count = 0] = words
  if (magic !== MAGIC) throw damaged(file, { fr: 'ce n’est pas un index', en: 'it is no index' })
  if (version !== FORMAT_VERSION)
    throw damaged(file, {
      fr: `format ${version} au lieu de ${FORMAT_VERSION}`,
      en: `format ${version}, not ${FORMAT_VERSION}`,
    })
  const directoryAt = PREAMBLE_BYTES + headerBytes
  const recordsAt = directoryAt + 4 * (2 ** bucketBits + 1)
  const end = recordsAt + count * RECORD_BYTES + TRAILER_BYTES
  if (!isBucketBits(bucketBits) || headerBytes % 8 !== 0 || bytes.length !== end)
    throw damaged(file, WRONG)
  const header = readHeader(file, bytes.subarray(PREAMBLE_BYTES, directoryAt))
  const directory = new Uint32Array(bytes.buffer, directoryAt, 2 ** bucketBits + 1)
  const records = new Uint32Array(bytes.buffer, recordsAt, 2 * count)
  await checkTable(file, { header, directory, records })
  const find = createFind(bucketBits, directory, records)
  return { header, bucketBits, directory, records, bytes: bytes.length, find }
}

function createFind(
  bucketBits: number,
  directory: Uint32Array,
  records: Uint32Array,
): IndexTable['find'] {
  const shift = 32 - bucketBits
  return (high, low) => {
    const bucket = high >>> shift
    const end = 2 * (directory[bucket + 1] ?? 0)
    for (let at = 2 * (directory[bucket] ?? 0); at < end; at += 2) {
      if (records[at] !== low) continue
      const rest = records[at + 1] ?? 0
      if (rest >>> 16 === (high & 0xffff)) return rest & 0xffff
    }
    return 0
  }
}

/** Reads by chunks, so that the checksum of a big index never holds the event loop for long. */
async function readChecked(file: string): Promise<Uint8Array<ArrayBuffer>> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw damaged(file, detailOf(error))
  })
  try {
    return await readAll(file, handle)
  } catch (error) {
    throw error instanceof PreauError ? error : damaged(file, detailOf(error))
  } finally {
    await handle.close()
  }
}

async function readAll(file: string, handle: FileHandle): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await handle.stat()
  if (size < PREAMBLE_BYTES + TRAILER_BYTES || size > MAX_INDEX_BYTES)
    throw damaged(file, { fr: `${size} octets`, en: `${size} bytes` })
  const bytes = new Uint8Array(size)
  const end = size - TRAILER_BYTES
  let crc = 0
  for (let at = 0; at < size;) {
    const { bytesRead } = await handle.read(bytes, at, Math.min(CHUNK_BYTES, size - at), at)
    if (bytesRead === 0) throw damaged(file, { fr: 'coupé avant la fin', en: 'cut short' })
    crc = crc32(bytes.subarray(Math.min(at, end), Math.min(at + bytesRead, end)), crc)
    at += bytesRead
  }
  if (new DataView(bytes.buffer).getUint32(end, true) !== crc)
    throw damaged(file, { fr: 'somme de contrôle fausse', en: 'wrong checksum' })
  return bytes
}

function readHeader(file: string, bytes: Uint8Array): IndexHeader {
  try {
    const header = headerSchema.parse(JSON.parse(Buffer.from(bytes).toString()))
    const last = header.tags.length
    if (header.sets.some(set => set.some(at => at >= last))) throw new RangeError('unknown tag')
    return header
  } catch {
    throw damaged(file, WRONG)
  }
}

/** A writer with a fault could give a right checksum to a wrong table. */
async function checkTable(
  file: string,
  { header, directory, records }: Pick<IndexTable, 'header' | 'directory' | 'records'>,
): Promise<void> {
  let before = 0
  for (let at = 0; at < directory.length; at++) {
    const first = directory[at] ?? 0
    if (first < before) throw damaged(file, WRONG)
    before = first
    if (at % SLICE === SLICE - 1) await breathe()
  }
  if (before !== records.length / 2) throw damaged(file, WRONG)
  const sets = header.sets.length
  for (let at = 1; at < records.length; at += 2) {
    const set = (records[at] ?? 0) & 0xffff
    if (set === 0 || set >= sets) throw damaged(file, WRONG)
    if (at % (2 * SLICE) === 2 * SLICE - 1) await breathe()
  }
}
