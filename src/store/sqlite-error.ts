/** Turns what SQLite and the file system throw into the codes of `errors.ts`. */
import { statSync } from 'node:fs'
import { causeOf, PreauError } from '../errors.ts'
import { wordsOfCause } from '../errors/causes.ts'

// Primary result codes (sqlite.org/rescode.html); the extended ones carry them in their low byte.
const SQLITE_ERROR = 1
const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_NOMEM = 7
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

function primaryCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown }).errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** Whether the file is damaged, no database, or one with other tables: waiting or making place would not help. */
export function isUnusable(error: unknown): boolean {
  const code = primaryCode(error)
  return code === SQLITE_ERROR || code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/**
 * The file is no sound database. A backup that is put back beside the log of a crash is one that SQLite reads together with
 * that log (sqlite.org/howtocorrupt.html §1.4): whoever has just done as the message says must know what is still wrong.
 */
export function damagedError(file: string, found: string, cause?: unknown): PreauError {
  const detail = wordsOfCause(found)
  const log = `${file}-wal`
  const hasLog = (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0
  const words = {
    fr: `${detail.fr} ; si vous venez de remettre une sauvegarde, ${log} est le journal de la base d’avant : déplacez-le aussi`,
    en: `${found}; if you have just put a backup in its place, ${log} is the log of the database before: move it away too`,
  }
  const params = { file, detail: hasLog ? words : detail }
  return new PreauError('PREAU_STORE_DAMAGED', params, { cause })
}

/** The error of an opening that failed. */
export function openingError(file: string, error: unknown): PreauError {
  if (error instanceof PreauError) return error
  const detail = causeOf(error)
  // A record that was read while the schema was brought up to date.
  if (error instanceof SyntaxError || error instanceof TypeError)
    return new PreauError('PREAU_STORE_DAMAGED', { file, detail }, { cause: error })
  switch (primaryCode(error)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return damagedError(file, detail, error)
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_FULL:
      return new PreauError('PREAU_STORE_UNAVAILABLE', { detail }, { cause: error })
    default:
      return new PreauError('PREAU_STORE_UNREADABLE', { file, detail }, { cause: error })
  }
}

/** The error of a read or commit that failed: disk full, locked for too long, I/O error, read-only. */
export function workingError(error: unknown): PreauError {
  if (error instanceof PreauError) return error
  return new PreauError('PREAU_STORE_UNAVAILABLE', { detail: causeOf(error) }, { cause: error })
}
