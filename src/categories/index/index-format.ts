/**
 * The bytes of an index file, little-endian: a preamble of eight Uint32 (magic, version, length of the header, bits of the
 * directory, number of records, three zeros); the header as JSON; the directory, which tells the first record of each
 * bucket; the records, two Uint32 each; CRC-32 of all that precedes.
 *
 * A record is the lower half of a key, then 16 bits of its upper half beside the number of its set. The bucket of a record
 * is the first bits of its key, so that nothing is lost: the key has its 64 bits, and all records stand in its order.
 */
import { z } from 'zod'

export const MAGIC = 0x58_44_49_50 // "PIDX"
// 3: the keys of pages are made of a normal form of their address, and public suffixes are left out.
export const FORMAT_VERSION = 3
export const PREAMBLE_BYTES = 32
export const RECORD_BYTES = 8
export const TRAILER_BYTES = 4
/** Set numbers have 16 bits. */
export const MAX_SETS = 65_536
export const MAX_RECORDS = 2 ** 27
export const MAX_INDEX_BYTES = MAX_RECORDS * RECORD_BYTES + 2 ** 28
const MIN_BUCKET_BITS = 16
const MAX_BUCKET_BITS = 24
const RECORDS_A_BUCKET = 8

/** `page-host`: some page of this host is listed, though perhaps not the host. */
const TAG_KINDS = ['host', 'page', 'page-host'] as const
export type TagKind = (typeof TAG_KINDS)[number]

/** What a list says of a key. */
export interface Tag {
  readonly list: string
  readonly category: string
  readonly kind: TagKind
}

export const headerSchema = z.object({
  tags: z
    .array(z.object({ list: z.string(), category: z.string(), kind: z.enum(TAG_KINDS) }))
    .max(MAX_SETS),
  /** Positions in `tags`, ascending. Set 0 is empty and no record has it. */
  sets: z.array(z.array(z.int().min(0))).max(MAX_SETS),
  hosts: z.int().min(0),
  pages: z.int().min(0),
})

export type IndexHeader = z.infer<typeof headerSchema>

/** Enough buckets for eight records each, and at least so many that a key keeps all its bits. */
export function bucketBitsFor(records: number): number {
  const bits = Math.ceil(Math.log2(Math.max(1, records / RECORDS_A_BUCKET)))
  return Math.min(MAX_BUCKET_BITS, Math.max(MIN_BUCKET_BITS, bits))
}

export function isBucketBits(bits: number): boolean {
  return bits >= MIN_BUCKET_BITS && bits <= MAX_BUCKET_BITS
}
