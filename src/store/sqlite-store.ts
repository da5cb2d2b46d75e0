/** The embedded store: one SQLite file shared by all processes of a machine, each with its connection in a thread. */
import type { Change, Kind } from '../policy/document.ts'
import { ChangeSignal } from './change-signal.ts'
import { answerHealth } from './health.ts'
import {
  auditEntryOf,
  changedOf,
  commitRowOf,
  keyOf,
  revisionOf,
  rowChangeOf,
  rowQueryOf,
  seqOf,
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
    // Another file may stand in its place since the thread was started anew.
    const { epoch } = this.#connection
    return revisionOf(epoch, await this.#connection.call('revision', kinds))
  }

  async changes(since: string): Promise<Changes | undefined> {
    const { epoch } = this.#connection
    const seq = seqOf(epoch, since)
    const found = seq === undefined ? seq : await this.#connection.call('changes', seq)
    return found && { revision: revisionOf(epoch, found.last), changed: found.rows.map(changedOf) }
  }

  async commit(note: CommitNote, changes: readonly Change[]): Promise<void> {
    const rows = changes.map(rowChangeOf)
    await this.#connection.call('commit', commitRowOf(note, rows), rows)
    this.#signal.raise()
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
