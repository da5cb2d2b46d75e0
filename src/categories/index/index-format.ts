/**
 * The bytes of an index file: magic, version, length of the header, number of slots; the header as JSON; the keys (two
 * Uint32 a slot); the set numbers (Uint16, 0 in an empty slot); CRC-32 of all that precedes. Little-endian.
 */
import { z } from 'zod'

export const MAGIC = 0x58_44_49_50 // "PIDX"
export const FORMAT_VERSION = 1
export const PREAMBLE_BYTES = 16
export const SLOT_BYTES = 10
export const TRAILER_BYTES = 4
export const MAX_SETS = 65_536
export const MAX_SLOTS = 2 ** 27

export const headerSchema = z.object({
  categories: z.array(z.string()).max(1_000),
  /** Positions in `categories`, ascending. Set 0 is empty. */
  sets: z.array(z.array(z.int().min(0))).max(MAX_SETS),
  /** Hosts in the index. */
  hosts: z.int().min(0),
})

export type IndexHeader = z.infer<typeof headerSchema>

/** Where the probing for a key begins. The number of slots is a power of two. */
export function firstSlot(high: number, low: number, slots: number): number {
  return (high ^ Math.imul(low, 0x9e3779b1)) & (slots - 1)
}
