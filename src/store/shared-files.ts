/**
 * Files that all machines need (indexes, kept lists), by name. A name stands for one content for ever: what it names is
 * there whole or not at all, and a reader never sees a part of it.
 */
/** The end of the name that a file has on the disk until it is whole: whoever tidies up knows it by that. */
export const FETCHING = '.fetching'

export interface SharedFile {
  /** Of the file itself. */
  readonly bytes: number
  /** What it takes in the store, compressed. */
  readonly storedBytes: number
  /** Of the file itself, in hexadecimal. */
  readonly sha256: string
  /** How long it has been there, by the clock of the store. */
  readonly ageMs: number
}

export interface TransferOptions {
  /** Told after each piece: bytes of the file so far. */
  readonly onProgress?: ((bytes: number) => void) | undefined
  /** Gives the transfer up; nothing is left of it. */
  readonly signal?: AbortSignal | undefined
}

export interface SharedFiles {
  /** All files that are there whole, by name. Throws PREAU_STORE_UNAVAILABLE. */
  list(signal?: AbortSignal): Promise<ReadonlyMap<string, SharedFile>>
  /**
   * Stores a file under a name; nothing is sent when the same content stands there, unless `isForced`: what is there is
   * known to be damaged. Waits for a broken connection for a while. Throws PREAU_STORE_FULL, PREAU_STORE_UNAVAILABLE, and
   * what reading throws.
   */
  put(name: string, path: string, options?: TransferOptions & { isForced?: boolean }): Promise<void>
  /**
   * Writes the file to `path`, which is replaced whole, flushed to the disk, or not touched; answers what it was. Throws
   * PREAU_FILE_NOT_SHARED, PREAU_SHARED_FILE_DAMAGED, PREAU_STORE_UNAVAILABLE, and what writing throws.
   */
  fetch(name: string, path: string, options?: TransferOptions): Promise<SharedFile>
  /** Drops files; names that are not there are no error. Throws PREAU_STORE_UNAVAILABLE. */
  drop(names: readonly string[]): Promise<void>
}
