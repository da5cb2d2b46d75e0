/** All that an SQLite store holds, read in one transaction while others go on writing. */
import type { DatabaseSync } from 'node:sqlite'
import { openForReading } from '../sqlite-schema.ts'
import { openingError, workingError } from '../sqlite-error.ts'
import { bundlesOf } from './bundles.ts'
import type { AuditRecord, Reading, RecordRow } from './transfer.ts'

const SQL = {
  records: 'SELECT count(*) AS total FROM document',
  audit: 'SELECT count(*) AS total FROM audit',
  // Its own memory of the greatest key, which outlives the entries (sqlite.org/autoinc.html).
  lastSeq: `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'audit'), 0) AS total`,
  allRecords: 'SELECT kind, id AS key, version, body FROM document ORDER BY kind, id',
  allAudit: 'SELECT seq, at, by, action, subject, detail FROM audit ORDER BY seq',
} as const
const BUSY_TIMEOUT_MS = 5_000

/**
 * `file` is not written to, nor brought up to date. Throws PREAU_STORE_DAMAGED, _TOO_NEW, _UNREADABLE or _UNAVAILABLE.
 * `check`: read every page first (`PRAGMA quick_check`).
 */
export function openSqliteReading(file: string, options: { check: boolean }): Reading {
  const db = openForReading(file, { ...options, busyTimeoutMs: BUSY_TIMEOUT_MS })
  try {
    return readingOf(db)
  } catch (error) {
    db.close()
    throw openingError(file, error)
  }
}

function readingOf(db: DatabaseSync): Reading {
  // Its state is that of the first read below: a write-ahead log lets others write on (sqlite.org/isolation.html).
  db.exec('BEGIN')
  const numberOf = (text: string): number => Number(db.prepare(text).get()?.['total'])
  const amount = { records: numberOf(SQL.records), audit: numberOf(SQL.audit) }
  const lastSeq = numberOf(SQL.lastSeq)
  return {
    amount,
    lastSeq,
    records: () => rows<RecordRow>(db, SQL.allRecords, ({ body }) => body.length),
    audit: () => rows<AuditRecord>(db, SQL.allAudit, ({ detail }) => detail?.length ?? 0),
    close: async () => {
      if (db.isOpen) db.close()
    },
  }
}

async function* rows<T>(
  db: DatabaseSync,
  text: string,
  charactersOf: (row: T) => number,
): AsyncGenerator<readonly T[]> {
  try {
    yield* bundlesOf(db.prepare(text).iterate() as Iterable<T>, charactersOf)
  } catch (error) {
    throw workingError(error)
  }
}
