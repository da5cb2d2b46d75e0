/** A store in memory with the contract of `store.ts`, for the tests of the admin app alone. */
import { PreauError } from '../../src/errors.ts'
import { stateOf, type Change, type Documents, type Kind } from '../../src/policy/document.ts'
import type { AuditEntry, CommitNote, ListQuery, Store, Stored } from '../../src/store/store.ts'

type Row = { version: number; state: string; body: Documents[Kind] }

export class MemoryStore implements Store {
  readonly rows = new Map<Kind, Map<string, Row>>()
  readonly audit: AuditEntry[] = []
  readonly watchers = new Set<() => void>()
  isDown = false

  #kind(kind: Kind): Map<string, Row> {
    const found = this.rows.get(kind) ?? new Map<string, Row>()
    this.rows.set(kind, found)
    return found
  }

  #check(): void {
    if (this.isDown) throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'secret path' })
  }

  async get<K extends Kind>(kind: K, id: string): Promise<Stored<K> | undefined> {
    this.#check()
    const row = this.#kind(kind).get(id)
    return (
      row && { kind, id, version: row.version, body: structuredClone(row.body) as Documents[K] }
    )
  }

  async list<K extends Kind>(kind: K, query: ListQuery = {}): Promise<Stored<K>[]> {
    this.#check()
    const { state, limit = Infinity, before } = query
    const ids = [...this.#kind(kind).entries()]
      .filter(
        ([id, row]) =>
          (state === undefined || row.state === state) && (before === undefined || id < before),
      )
      .map(([id]) => id)
      .sort()
      .toReversed()
      .slice(0, limit)
    return (await Promise.all(ids.map(id => this.get(kind, id)))).filter(row => row !== undefined)
  }

  async count(kind: Kind, state?: string): Promise<number> {
    return (await this.list(kind, state === undefined ? {} : { state })).length
  }

  async commit(note: CommitNote, changes: readonly Change[]): Promise<void> {
    this.#check()
    for (const { kind, id, expects } of changes) {
      const row = this.#kind(kind).get(id)
      const ok = expects === undefined || (expects === 'absent' ? !row : row?.version === expects)
      if (!ok) throw new PreauError('PREAU_CONFLICT', { kind, id })
    }
    for (const change of changes) {
      const rows = this.#kind(change.kind)
      if (change.body === null) rows.delete(change.id)
      else {
        const version = (rows.get(change.id)?.version ?? 0) + 1
        rows.set(change.id, { version, state: stateOf(change), body: structuredClone(change.body) })
      }
    }
    this.audit.push({ ...note, seq: this.audit.length + 1 })
    for (const watcher of this.watchers) setImmediate(watcher)
  }

  async tail({
    limit,
    before = Infinity,
  }: {
    limit: number
    before?: number
  }): Promise<AuditEntry[]> {
    this.#check()
    return this.audit
      .filter(entry => entry.seq < before)
      .toReversed()
      .slice(0, limit)
  }

  watch(onChange: () => void): () => void {
    this.watchers.add(onChange)
    return () => void this.watchers.delete(onChange)
  }

  async close(): Promise<void> {}
}
