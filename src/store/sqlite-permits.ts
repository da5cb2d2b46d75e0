/**
 * The permits of a machine: a small SQLite file beside the database, so that a count costs no write to the disk and
 * wakes nobody who watches. Nothing in it is worth keeping: a file that is missing, foreign or damaged is made anew.
 */
import * as fs from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { isUnusable } from './sqlite-error.ts'
import type { PermitRule, Taken } from './store.ts'

/** Counters kept at once; beyond it those that end first are let go. */
const MAX_PERMITS = 100_000
const CLEAN_EVERY_MS = 60_000
const LOOK_EVERY_MS = 1_000
const BUSY_TIMEOUT_MS = 1_000

const SQL = {
  get: 'SELECT taken, until FROM permit WHERE key = ?',
  put: 'INSERT OR REPLACE INTO permit (key, taken, until) VALUES (?, ?, ?)',
  giveBack: 'UPDATE permit SET taken = taken - 1 WHERE key = ? AND taken > 0',
  clear: 'DELETE FROM permit WHERE key = ?',
  dropEnded: 'DELETE FROM permit WHERE until <= ?',
  count: 'SELECT count(*) AS total FROM permit',
  dropFirst: 'DELETE FROM permit WHERE key IN (SELECT key FROM permit ORDER BY until LIMIT ?)',
} as const

interface Open {
  readonly db: DatabaseSync
  readonly sql: Readonly<Record<keyof typeof SQL, StatementSync>>
  readonly inode: bigint
}

export class SqlitePermits {
  readonly #file: string
  readonly #now: () => number
  #open: Open | undefined
  #lookedAt = 0
  #cleanedAt = Number.NEGATIVE_INFINITY

  /** `now`: a clock that all processes of the machine share and nobody sets, in ms. Opens the file at the first call. */
  constructor(file: string, now: () => number) {
    this.#file = file
    this.#now = now
  }

  take(key: string, { max, windowMs: window, isSliding = false }: PermitRule): Taken {
    const windowMs = Math.ceil(window)
    return this.#write(({ sql }, now) => {
      this.#clean(sql, now)
      const found = sql.get.get(key)
      // A clock that began anew with the machine must not make a window longer than it is.
      const left = Math.min(Number(found?.['until'] ?? 0) - now, windowMs)
      const before = left > 0 ? Number(found?.['taken']) : 0
      if (before >= max) return { isTaken: false, taken: before, leftMs: Math.max(0, left) }
      const leftMs = isSliding || left <= 0 ? windowMs : left
      sql.put.run(key, before + 1, now + leftMs)
      return { isTaken: true, taken: before + 1, leftMs }
    })
  }

  giveBack(key: string): void {
    this.#write(({ sql }) => sql.giveBack.run(key))
  }

  clear(key: string): void {
    this.#write(({ sql }) => sql.clear.run(key))
  }

  close(): void {
    this.#open?.db.close()
    this.#open = undefined
  }

  #clean(sql: Open['sql'], now: number): void {
    if (now - this.#cleanedAt < CLEAN_EVERY_MS) return
    this.#cleanedAt = now
    sql.dropEnded.run(now)
    const excess = Number(sql.count.get()?.['total']) - MAX_PERMITS
    if (excess > 0) sql.dropFirst.run(excess)
  }

  /** Runs `act` in one transaction; on a file that turns out to be unusable a second time, on a new one. */
  #write<T>(act: (open: Open, now: number) => T): T {
    try {
      return this.#transact(act)
    } catch (error) {
      if (!isUnusable(error)) throw error
      this.#remake()
      return this.#transact(act)
    }
  }

  #transact<T>(act: (open: Open, now: number) => T): T {
    const now = this.#now()
    const open = this.#current(now)
    open.db.exec('BEGIN IMMEDIATE')
    try {
      const answer = act(open, now)
      open.db.exec('COMMIT')
      return answer
    } catch (error) {
      if (open.db.isTransaction) open.db.exec('ROLLBACK')
      throw error
    }
  }

  // Somebody may have removed or replaced the file: counts that go on in the old one would be seen by nobody else.
  #current(now: number): Open {
    if (this.#open !== undefined && Math.abs(now - this.#lookedAt) >= LOOK_EVERY_MS) {
      this.#lookedAt = now
      if (inodeOf(this.#file) !== this.#open.inode) this.close()
    }
    this.#open ??= openPermits(this.#file)
    return this.#open
  }

  #remake(): void {
    this.close()
    for (const suffix of ['', '-journal', '-wal', '-shm'])
      fs.rmSync(this.#file + suffix, { force: true })
  }
}

const inodeOf = (file: string): bigint | undefined =>
  fs.statSync(file, { bigint: true, throwIfNoEntry: false })?.ino

/**
 * A rollback journal and no write-ahead log: that one's file belongs to whoever has the name, and would be taken from
 * the successor of a file that was removed. `synchronous = OFF`: what a process wrote outlives it, not the machine.
 */
function openPermits(file: string): Open {
  fs.closeSync(fs.openSync(file, 'a', 0o600))
  const db = new DatabaseSync(file, { timeout: BUSY_TIMEOUT_MS })
  try {
    db.exec(`PRAGMA synchronous = OFF; PRAGMA journal_mode = TRUNCATE; PRAGMA secure_delete = ON;
      CREATE TABLE IF NOT EXISTS permit (
        key TEXT PRIMARY KEY, taken INTEGER NOT NULL, until INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`)
    const prepared = Object.entries(SQL).map(([name, text]) => [name, db.prepare(text)] as const)
    const sql = Object.fromEntries(prepared) as Open['sql']
    return { db, sql, inode: inodeOf(file) ?? 0n }
  } catch (error) {
    db.close()
    throw error
  }
}
