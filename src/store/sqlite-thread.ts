/**
 * The worker thread that owns the SQLite connection of a process, so that the event loop which serves the proxy never
 * waits for the disk. It answers the calls of `sqlite-connection.ts` one by one, in their order.
 */
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { PreauError, type ErrorCode } from '../errors.ts'
import { SqliteDocuments } from './sqlite-documents.ts'
import { workingError } from './sqlite-error.ts'
import { SqlitePermits } from './sqlite-permits.ts'
import { openDatabase, type DatabaseOptions } from './sqlite-schema.ts'

/** What the thread can be asked. `watch` turns the polling for commits of other connections on or off. */
export type ThreadCalls = Pick<
  SqliteDocuments,
  'get' | 'list' | 'count' | 'revision' | 'changes' | 'tail' | 'forget' | 'commit'
> &
  Pick<SqlitePermits, 'take' | 'giveBack' | 'clear'> & {
    /** Reads from the file that stands at its path now. */
    check(): void
    watch(isWatching: boolean): void
    close(): void
  }

export interface ThreadData extends DatabaseOptions {
  readonly file: string
}

export interface ToThread {
  readonly call: number
  readonly method: keyof ThreadCalls
  readonly args: readonly unknown[]
}

/** A PreauError as it crosses the boundary: structured clone would keep its message only. */
export interface Failure {
  readonly code: ErrorCode
  readonly params: PreauError['params']
}

export type FromThread =
  | { readonly type: 'opened' }
  | { readonly type: 'refused'; readonly failure: Failure }
  | { readonly type: 'answer'; readonly call: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly call: number; readonly failure: Failure }
  | { readonly type: 'changed' }

const POLL_MS = 100
const PERMITS_FILE = 'permits.db'
/** Since the machine began: the same in all its processes, and nobody sets it. */
const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

function failureOf(error: unknown): Failure {
  const { code, params } = workingError(error)
  return { code, params }
}

/**
 * What was deleted stands in the write-ahead log until that is written over, maybe next month. Whoever reads just now is not
 * waited for: the next turn does it.
 */
function emptyLog(db: DatabaseSync, busyTimeoutMs: number): void {
  db.exec('PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE)')
  db.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
}

function serve(port: NonNullable<typeof parentPort>, { file, ...options }: ThreadData): void {
  const tell = (message: FromThread): void => port.postMessage(message)
  const db = openDatabase(file, options)
  const documents = new SqliteDocuments(db)
  const permits = new SqlitePermits(join(dirname(file), PERMITS_FILE), monotonicMs)
  const { ino } = statSync(file)
  const dataVersion = db.prepare('PRAGMA data_version')
  const readVersion = (): unknown => dataVersion.get()?.['data_version']

  // Read before anybody can watch: what changes between `watch()` and the first poll differs from it, and is reported.
  let seen = readVersion()
  let poll: NodeJS.Timeout | undefined
  const look = (): void => {
    try {
      const found = readVersion()
      if (found === seen) return
      seen = found
    } catch {
      // A poll that cannot read says "changed": the readers then meet the error themselves.
    }
    tell({ type: 'changed' })
  }

  const calls: ThreadCalls = {
    get: (kind, id) => documents.get(kind, id),
    list: (kind, query) => documents.list(kind, query),
    count: (kind, facet) => documents.count(kind, facet),
    revision: kinds => documents.revision(kinds),
    changes: since => documents.changes(since),
    tail: (limit, before) => documents.tail(limit, before),
    forget(before) {
      const forgotten = documents.forget(before)
      emptyLog(db, options.busyTimeoutMs)
      return forgotten
    },
    commit: (note, changes) => documents.commit(note, changes),
    take: (key, rule) => permits.take(key, rule),
    giveBack: key => permits.giveBack(key),
    clear: key => permits.clear(key),
    check() {
      if (statSync(file, { throwIfNoEntry: false })?.ino !== ino)
        throw new PreauError('PREAU_STORE_UNAVAILABLE', {
          detail: { fr: `${file} a été retiré ou remplacé`, en: `${file} was removed or replaced` },
        })
      readVersion()
    },
    watch(isWatching) {
      clearInterval(poll)
      if (!isWatching) return
      look()
      poll = setInterval(look, POLL_MS)
    },
    close() {
      clearInterval(poll)
      permits.close()
      db.close()
      port.close()
    },
  }

  port.on('message', ({ call, method, args }: ToThread) => {
    try {
      const run = calls[method] as (...given: readonly unknown[]) => unknown
      tell({ type: 'answer', call, value: run(...args) })
    } catch (error) {
      tell({ type: 'failure', call, failure: failureOf(error) })
    }
  })
  tell({ type: 'opened' })
}

if (parentPort !== null) {
  try {
    serve(parentPort, workerData as ThreadData)
  } catch (error) {
    const refused: FromThread = { type: 'refused', failure: failureOf(error) }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    parentPort.postMessage(refused)
  }
}
