/** The embedded store: one SQLite file shared by all processes of a machine, each with its connection in a thread. */
import { stateOf, type Change, type Documents, type Kind } from '../policy/document.ts'
import { ChangeSignal } from './change-signal.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import type { AuditRow, DocumentRow, RowChange } from './sqlite-documents.ts'
import type { AuditEntry, CommitNote, ListQuery, Store, Stored } from './store.ts'

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
    const row = await this.#connection.call('get', kind, id)
    return row && storedOf(kind, row)
  }

  async list<K extends Kind>(kind: K, query: ListQuery = {}): Promise<Stored<K>[]> {
    const rows = await this.#connection.call('list', kind, query)
    return rows.map(row => storedOf(kind, row))
  }

  count(kind: Kind, state?: string): Promise<number> {
    return this.#connection.call('count', kind, state)
  }

  async commit(note: CommitNote, changes: readonly Change[]): Promise<void> {
    await this.#connection.call('commit', auditRowOf(note), changes.map(rowChangeOf))
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

  async close(): Promise<void> {
    await this.#connection.close()
    this.#signal.close()
  }
}

// The bodies cross the thread boundary as JSON text: cheaper for both sides than a structured clone of the objects.
function storedOf<K extends Kind>(kind: K, { id, version, body }: DocumentRow): Stored<K> {
  return { kind, id, version, body: JSON.parse(body) as Documents[K] }
}

function rowChangeOf(change: Change): RowChange {
  const { kind, id, expects, body } = change
  return {
    kind,
    id,
    ...(expects === undefined ? {} : { expects }),
    state: stateOf(change),
    body: body === null ? null : JSON.stringify(body),
  }
}

function auditRowOf({ at, by, action, subject, detail }: CommitNote): AuditRow {
  const text = detail === undefined ? null : JSON.stringify(detail)
  return { at, by, action, subject: subject ?? null, detail: text }
}

function auditEntryOf(row: AuditRow & { readonly seq: number }): AuditEntry {
  const { seq, at, by, action, subject, detail } = row
  return {
    seq,
    at,
    by,
    action,
    ...(subject === null ? {} : { subject }),
    ...(detail === null ? {} : { detail: JSON.parse(detail) as CommitNote['detail'] & object }),
  }
}
