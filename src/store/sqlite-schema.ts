/**
 * Opens the SQLite file: creates it whole or not at all, refuses what is damaged, foreign or too new without touching
 * it, and brings an older schema up to date. Runs in the store thread only, since every call here blocks.
 */
import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { PreauError } from '../errors.ts'
import { facetsOf, type Change, type Kind } from '../policy/document.ts'
import { keyOf } from './rows.ts'
import { damagedError, openingError } from './sqlite-error.ts'

/** "Prea" in ASCII: tells our files from other people's (sqlite.org/fileformat2.html §1.3.15). */
export const APPLICATION_ID = 0x50_72_65_61

// Each entry brings `user_version` from its index to the next. Entries are only ever added.
const MIGRATIONS: readonly ((db: DatabaseSync) => void)[] = [
  db =>
    db.exec(`CREATE TABLE document (
     kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, body TEXT NOT NULL,
     PRIMARY KEY (kind, id)
   ) STRICT;
   CREATE INDEX document_by_state ON document (kind, state, id);
   CREATE TABLE audit (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT NULL, action TEXT NOT NULL, subject TEXT,
     detail TEXT
   ) STRICT;`),
  db => {
    db.exec(`DROP INDEX document_by_state;
   ALTER TABLE document DROP COLUMN state;
   CREATE TABLE facet (
     kind TEXT NOT NULL, id TEXT NOT NULL, facet TEXT NOT NULL, PRIMARY KEY (kind, id, facet)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX facet_by_name ON facet (kind, facet, id);`)
    deriveFacets(db)
  },
  db =>
    db.exec(
      `CREATE TABLE revision (kind TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
    ),
  // The records of followed kinds that a commit has changed: a JSON array. NULL: not known.
  db => db.exec('ALTER TABLE audit ADD COLUMN changed TEXT;'),
]
export const SCHEMA_VERSION = MIGRATIONS.length

// Before it, two connections that write and checkpoint at once can lose acknowledged commits (sqlite.org/wal.html §11).
const OLDEST_SQLITE = [3, 51, 3] as const

export interface DatabaseOptions {
  /** Reads the whole file first (`PRAGMA quick_check`): for the process that starts the others. */
  readonly check: boolean
  /** Whether a missing file is made. A store that was open before must not come back empty. */
  readonly mayCreate: boolean
  readonly busyTimeoutMs: number
}

/** Opens `file` for writing. Throws PREAU_STORE_DAMAGED, _TOO_NEW, _UNREADABLE or _UNAVAILABLE; the file is then as before. */
export function openDatabase(file: string, options: DatabaseOptions): DatabaseSync {
  assertSqliteVersion(file)
  try {
    if (options.mayCreate && !fs.existsSync(file)) createDatabase(file)
    assertUsableFile(file)
    openInspected(file, options).close()
    return openForWriting(file, options.busyTimeoutMs)
  } catch (error) {
    throw openingError(file, error)
  }
}

function assertSqliteVersion(file: string): void {
  const found = runningSqlite()
  const [major = 0, minor = 0, patch = 0] = found.split('.').map(Number)
  const [oldMajor, oldMinor, oldPatch] = OLDEST_SQLITE
  if ((major - oldMajor || minor - oldMinor || patch - oldPatch) >= 0) return
  const detail = `this Node.js has SQLite ${found}; ${OLDEST_SQLITE.join('.')} is needed`
  throw new PreauError('PREAU_STORE_UNREADABLE', { file, detail })
}

// Asked of the library itself: `process.versions` may tell what Node was built with, not what it runs with.
function runningSqlite(): string {
  const db = new DatabaseSync(':memory:')
  const row = db.prepare('SELECT sqlite_version() AS version').get()
  db.close()
  return String(row?.['version'])
}

/** Builds the database under a temporary name and links it into place: whoever comes second keeps the first one's file. */
function createDatabase(file: string): void {
  assertNoOrphanLog(file)
  const temporary = `${file}.${randomUUID()}.new`
  try {
    fs.closeSync(fs.openSync(temporary, 'wx', 0o600))
    const db = new DatabaseSync(temporary)
    try {
      db.exec(`PRAGMA application_id = ${APPLICATION_ID}`)
      configure(db, file)
      migrate(db)
    } finally {
      db.close()
    }
    linkIfAbsent(temporary, file)
  } finally {
    for (const suffix of ['', '-wal', '-shm']) fs.rmSync(temporary + suffix, { force: true })
  }
  syncPath(dirname(file))
}

// SQLite would replay the write-ahead log of a database that was moved away onto the new one.
export function assertNoOrphanLog(file: string): void {
  const orphan = ['-wal', '-journal'].map(suffix => file + suffix).find(hasContent)
  if (orphan === undefined || fs.existsSync(file)) return
  const detail = `${orphan} belongs to a database that is not there; move it away too`
  throw new PreauError('PREAU_STORE_DAMAGED', { file, detail })
}

function hasContent(path: string): boolean {
  return (fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0
}

function linkIfAbsent(from: string, to: string): void {
  try {
    fs.linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Waits until a file, or the names in a folder, are on the disk. */
export function syncPath(path: string): void {
  const descriptor = fs.openSync(path, 'r')
  try {
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

// By `stat` and `access` only: closing any descriptor of the file would drop the locks that another connection of this
// process holds on it (sqlite.org/howtocorrupt.html §2.2).
function assertUsableFile(file: string): void {
  assertFile(file)
  fs.accessSync(file, fs.constants.R_OK | fs.constants.W_OK)
  fs.accessSync(dirname(file), fs.constants.W_OK | fs.constants.X_OK)
}

function assertFile(file: string): void {
  const stat = fs.statSync(file)
  if (!stat.isFile()) {
    throw new PreauError('PREAU_STORE_UNREADABLE', { file, detail: 'not a regular file' })
  }
  // SQLite takes an empty file for a new database; here it is one that was lost.
  if (stat.size === 0) throw new PreauError('PREAU_STORE_DAMAGED', { file, detail: 'empty file' })
}

/** A connection that reads only, and at its end writes nothing back, not even the log. Throws as `openDatabase` does. */
export function openForReading(
  file: string,
  { check, busyTimeoutMs }: Omit<DatabaseOptions, 'mayCreate'>,
): DatabaseSync {
  try {
    assertFile(file)
    return openInspected(file, { check, busyTimeoutMs })
  } catch (error) {
    throw openingError(file, error)
  }
}

function openInspected(
  file: string,
  { check, busyTimeoutMs }: Omit<DatabaseOptions, 'mayCreate'>,
): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: busyTimeoutMs })
  try {
    if (pragma(db, 'application_id') !== APPLICATION_ID) {
      const detail = 'an SQLite file of another program'
      throw new PreauError('PREAU_STORE_DAMAGED', { file, detail })
    }
    const found = Number(pragma(db, 'user_version'))
    if (found > SCHEMA_VERSION) {
      throw new PreauError('PREAU_STORE_TOO_NEW', { file, found, known: SCHEMA_VERSION })
    }
    const answer = check ? pragma(db, 'quick_check(1)') : 'ok'
    if (answer !== 'ok') {
      throw damagedError(file, String(answer).replaceAll('\n', ' '))
    }
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function openForWriting(file: string, busyTimeoutMs: number): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: busyTimeoutMs })
  try {
    configure(db, file)
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function configure(db: DatabaseSync, file: string): void {
  if (pragma(db, 'journal_mode = WAL') !== 'wal') {
    const detail = 'this file system cannot hold a write-ahead log; use a local disk'
    throw new PreauError('PREAU_STORE_UNREADABLE', { file, detail })
  }
  // FULL: a commit that was acknowledged survives a power cut. `fullfsync` is what makes that true on macOS.
  db.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON')
  // What is forgotten is overwritten: by itself SQLite leaves it in the file (sqlite.org/pragma.html#pragma_secure_delete).
  db.exec('PRAGMA secure_delete = ON')
}

function migrate(db: DatabaseSync): void {
  if (pragma(db, 'user_version') === SCHEMA_VERSION) return
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have done it while this one waited for the lock.
    const from = Number(pragma(db, 'user_version'))
    for (const bringUp of MIGRATIONS.slice(from)) bringUp(db)
    db.exec(`PRAGMA user_version = ${Math.max(from, SCHEMA_VERSION)}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

// A change of `facetsOf` needs a migration that calls this again.
function deriveFacets(db: DatabaseSync): void {
  db.exec('DELETE FROM facet')
  const add = db.prepare('INSERT OR IGNORE INTO facet (kind, id, facet) VALUES (?, ?, ?)')
  for (const row of db.prepare('SELECT kind, id, body FROM document').iterate()) {
    const { kind, id, body } = row as { kind: Kind; id: string; body: string }
    const change = { kind, id, body: JSON.parse(body) } as Change
    for (const facet of facetsOf(change)) add.run(kind, id, keyOf(facet))
  }
}

/** The single value that a pragma answers. */
function pragma(db: DatabaseSync, text: string): unknown {
  const row = db.prepare(`PRAGMA ${text}`).get()
  return row === undefined ? undefined : Object.values(row)[0]
}
