/** The embedded store: one SQLite file shared by all processes of a machine, each with its connection in a thread. */
import type { Change, Kind } from '../policy/document.ts'
import { ChangeSignal } from './change-signal.ts'
import { answerHealth } from './health.ts'
import { isSameSight, revisionOf, seqOf } from './revision.ts'
import {
  auditEntryOf,
  changedOf,
  commitRowOf,
  keyOf,
  rowChangeOf,
  rowQueryOf,
  storedOf,
} from './rows.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import type {
  AuditEntry,
  Changes,
  CommitNote,
  ListQuery,
  Permits,
  Store,
  Stored,
  StoreHealth,
} from './store.ts'

export interface SqliteOptions {
  /** Reads the whole file first (`PRAGMA quick_check`): for the supervisor and the command line, not for workers. */
  readonly check?: boolean
  /** How long a commit waits for those of other processes. */
  readonly busyTimeoutMs?: number
}

const BUSY_TIMEOUT_MS = 5_000

/**
 * Opens `file`, creating it when it is missing (its folder must exist). Throws PREAU_STORE_DAMAGED, PREAU_STORE_TOO_NEW,
 * PREAU_STORE_UNREADABLE or PREAU_STORE_UNAVAILABLE; the file is then as it was.
 */
export async function openSqliteStore(file: string, options: SqliteOptions = {}): Promise<Store> {
  const { check = false, busyTimeoutMs = BUSY_TIMEOUT_MS } = options
  const signal = new ChangeSignal()
  const connection = await SqliteConnection.open(
    file,
    { check, mayCreate: true, busyTimeoutMs },
    () => signal.raise(),
  )
  return new SqliteStore(connection, signal)
}

class SqliteStore implements Store {
  readonly #connection: SqliteConnection
  readonly #signal: ChangeSignal

  constructor(connection: SqliteConnection, signal: ChangeSignal) {
    this.#connection = connection
    this.#signal = signal
  }

  async get<K extends Kind>(kind: K, id: string): Promise<Stored<K> | undefined> {
    const row = await this.#connection.call('get', kind, keyOf(id))
    return row && storedOf(kind, row)
  }

  async list<K extends Kind>(kind: K, query: ListQuery = {}): Promise<Stored<K>[]> {
    const rows = await this.#connection.call('list', kind, rowQueryOf(query))
    return rows.map(row => storedOf(kind, row))
  }

  count(kind: Kind, facet?: string): Promise<number> {
    return this.#connection.call('count', kind, facet === undefined ? facet : keyOf(facet))
  }

  async revision(kinds: readonly Kind[]): Promise<string> {
    // Asked of this thread; the next one may open another file.
    const { threads } = this.#connection
    return revisionOf(threads, await this.#connection.call('revision', kinds))
  }

  async changes(since: string): Promise<Changes | undefined> {
    const { threads } = this.#connection
    if (!isSameSight(since, revisionOf(threads, 0))) return undefined
    const found = await this.#connection.call('changes', seqOf(since))
    const changed = found?.rows.map(changedOf)
    return found && changed && { revision: revisionOf(threads, found.last), changed }
  }

  async commit(note: CommitNote, changes: readonly Change[]): Promise<void> {
    const rows = changes.map(rowChangeOf)
    await this.#connection.call('commit', commitRowOf(note, rows), rows)
    this.#signal.raise()
  }

  /** What can be read is on the disk. */
  confirmed<T>(read: () => Promise<T>): Promise<T> {
    return read()
  }

  async tail(query: { readonly limit: number; readonly before?: number }): Promise<AuditEntry[]> {
    const rows = await this.#connection.call('tail', query.limit, query.before ?? null)
    return rows.map(auditEntryOf)
  }

  forget(before: number): Promise<number> {
    return this.#connection.call('forget', before)
  }

  watch(onChange: () => void): () => void {
    const wasHeard = this.#signal.isHeard
    const stop = this.#signal.listen(onChange)
    if (!wasHeard) this.#connection.watch(true)
    return () => {
      if (!this.#signal.isHeard) return
      stop()
      if (!this.#signal.isHeard) this.#connection.watch(false)
    }
  }

  get permits(): Permits {
    return {
      take: (key, rule) => this.#connection.call('take', keyOf(key), rule),
      giveBack: key => this.#connection.call('giveBack', keyOf(key)),
      clear: key => this.#connection.call('clear', keyOf(key)),
    }
  }

  check(): Promise<StoreHealth> {
    // Its durability is what this program sets at each opening.
    return answerHealth(this.#connection.call('check').then(() => []))
  }

  async close(): Promise<void> {
    await this.#connection.close()
    this.#signal.close()
  }
}
