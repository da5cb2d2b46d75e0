/**
 * Moving all that a store holds into another of any kind: what a reading and a writing promise. Bodies and details stay the
 * JSON text that they are, so that both sides can be compared byte for byte.
 */
import type { Kind } from '../../policy/document.ts'

export interface RecordRow {
  readonly kind: Kind
  /** As the engine writes it (`rows.ts`). */
  readonly key: string
  readonly version: number
  readonly body: string
}

export interface AuditRecord {
  readonly seq: number
  readonly at: number
  readonly by: string
  readonly action: string
  readonly subject: string | null
  readonly detail: string | null
}

/** How much there is to move. */
export interface Amount {
  readonly records: number
  readonly audit: number
}

/** All that a store held at one instant: commits made meanwhile are not in it, not even in part. */
export interface Reading {
  readonly amount: Amount
  /** Of the last commit; the entry itself may have been forgotten. */
  readonly lastSeq: number
  /** Bundles of some hundred, by kind and then key, in the order of their bytes. */
  records(): AsyncIterable<readonly RecordRow[]>
  /** Bundles of some hundred, the oldest first. */
  audit(): AsyncIterable<readonly AuditRecord[]>
  close(): Promise<void>
}

/** A place that nobody can use as a store before `finish`. */
export interface Writing {
  put(records: readonly RecordRow[]): Promise<void>
  append(entries: readonly AuditRecord[]): Promise<void>
  /** Everything was given: what was written, to be compared. Closed by the caller. */
  reread(lastSeq: number): Promise<Reading>
  /** Makes it a store, on the disk when it resolves. Throws PREAU_STORE_NOT_EMPTY when another was faster. */
  finish(): Promise<void>
  /** Removes what was written, as far as that is possible. Does nothing after `finish`. Never rejects. */
  abandon(): Promise<void>
}

/** Rows in one bundle, and their bodies in characters: whichever comes first. */
export const BUNDLE_ROWS = 500
export const BUNDLE_CHARACTERS = 1_000_000
