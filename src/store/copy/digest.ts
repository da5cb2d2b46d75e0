/** What a store holds, as one number: equal where two hold the same, whatever they are made of. */
import { createHash } from 'node:crypto'
import type { AuditRecord, RecordRow } from './transfer.ts'

export class Digest {
  readonly #hash = createHash('sha256')

  records(rows: readonly RecordRow[]): void {
    for (const { kind, key, version, body } of rows) this.#add([kind, key, version, body])
  }

  audit(entries: readonly AuditRecord[]): void {
    for (const { seq, at, by, action, subject, detail } of entries)
      this.#add([seq, at, by, action, subject, detail])
  }

  /** Ends it: sixty-four hexadecimal digits. */
  end(lastSeq: number): string {
    return this.#hash.update(String(lastSeq)).digest('hex')
  }

  // As JSON, so that no two rows can be told by the same text.
  #add(fields: readonly (string | number | null)[]): void {
    this.#hash.update(`${JSON.stringify(fields)}\n`)
  }
}
