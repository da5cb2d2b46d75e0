/** A new SQLite store, filled under another name beside its place and linked into it when it is whole. */
import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { detailOf } from '../../error-detail.ts'
import { PreauError } from '../../errors.ts'
import { facetsOf, type Change } from '../../policy/document.ts'
import { idOf, keyOf } from '../rows.ts'
import { workingError } from '../sqlite-error.ts'
import { assertNoOrphanLog, openDatabase, syncPath } from '../sqlite-schema.ts'
import { openSqliteReading } from './sqlite-reading.ts'
import type { AuditRecord, Reading, RecordRow, Writing } from './transfer.ts'

const SQL = {
  record: 'INSERT INTO document (kind, id, version, body) VALUES (?, ?, ?, ?)',
  facet: 'INSERT OR IGNORE INTO facet (kind, id, facet) VALUES (?, ?, ?)',
  entry: 'INSERT INTO audit (seq, at, by, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)',
  // SQLite itself makes this row with the first entry only.
  dropSeq: `DELETE FROM sqlite_sequence WHERE name = 'audit'`,
  seq: `INSERT INTO sqlite_sequence (name, seq) VALUES ('audit', ?)`,
} as const
const NO_WAIT = 0

/** `file` must not be there, its folder must. Throws PREAU_STORE_NOT_EMPTY, PREAU_STORE_UNREADABLE, PREAU_STORE_DAMAGED. */
export function openSqliteWriting(file: string): Writing {
  assertFree(file)
  assertNoOrphanLog(file)
  const partial = `${file}.${randomUUID()}.partial`
  try {
    fs.accessSync(dirname(file), fs.constants.W_OK | fs.constants.X_OK)
    const options = { check: false, mayCreate: true, busyTimeoutMs: NO_WAIT }
    return new SqliteWriting(openDatabase(partial, options), partial, file)
  } catch (error) {
    removeFile(partial)
    throw namedAfter(file, error)
  }
}

/** The name under which it is filled says nothing to a person. */
function namedAfter(file: string, error: unknown): PreauError {
  if (!(error instanceof PreauError))
    return new PreauError('PREAU_STORE_UNREADABLE', { file, detail: detailOf(error) })
  return new PreauError(error.code, { ...error.params, file }, { cause: error })
}

function assertFree(file: string): void {
  if (fs.existsSync(file)) throw new PreauError('PREAU_STORE_NOT_EMPTY', { store: file })
}

class SqliteWriting implements Writing {
  readonly #db: DatabaseSync
  readonly #partial: string
  readonly #file: string

  constructor(db: DatabaseSync, partial: string, file: string) {
    this.#db = db
    this.#partial = partial
    this.#file = file
    // One transaction: nobody else sees the file, and the disk is waited for once.
    db.exec('BEGIN')
  }

  put(records: readonly RecordRow[]): Promise<void> {
    return this.#attempt(() => {
      const [record, facet] = [this.#db.prepare(SQL.record), this.#db.prepare(SQL.facet)]
      for (const { kind, key, version, body } of records) {
        record.run(kind, key, version, body)
        const change = { kind, id: idOf(key), body: JSON.parse(body) } as Change
        for (const name of facetsOf(change)) facet.run(kind, key, keyOf(name))
      }
    })
  }

  append(entries: readonly AuditRecord[]): Promise<void> {
    return this.#attempt(() => {
      const entry = this.#db.prepare(SQL.entry)
      for (const { seq, at, by, action, subject, detail } of entries)
        entry.run(seq, at, by, action, subject, detail)
    })
  }

  reread(lastSeq: number): Promise<Reading> {
    return this.#attempt(() => {
      this.#db.exec(SQL.dropSeq)
      this.#db.prepare(SQL.seq).run(lastSeq)
      this.#db.exec('COMMIT')
      // One file and nothing beside it, that can be read where nothing may be written: a store in use gets its log again.
      this.#db.exec('PRAGMA journal_mode = DELETE')
      this.#db.close()
      return openSqliteReading(this.#partial, { check: true })
    })
  }

  async finish(): Promise<void> {
    try {
      syncPath(this.#partial)
      fs.linkSync(this.#partial, this.#file)
      syncPath(dirname(this.#file))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') assertFree(this.#file)
      throw namedAfter(this.#file, error)
    }
    removeFile(this.#partial)
  }

  async abandon(): Promise<void> {
    if (this.#db.isOpen) this.#db.close()
    removeFile(this.#partial)
  }

  async #attempt<T>(work: () => T): Promise<T> {
    try {
      return work()
    } catch (error) {
      throw workingError(error)
    }
  }
}

/** What resists stays: it has a name that nobody opens. */
function removeFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    try {
      fs.rmSync(file + suffix, { force: true })
    } catch {
      continue
    }
  }
}
