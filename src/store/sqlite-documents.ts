/** The SQL of the store: reads and atomic commits on an open database, all of them blocking. Bodies stay JSON text here. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { PreauError } from '../errors.ts'
import { FOLLOWED, type Kind } from '../policy/document.ts'
import {
  DEFAULT_LIMIT,
  idOf,
  MAX_FOLLOWED_COMMITS,
  MAX_FOLLOWED_RECORDS,
  namedIn,
  type AuditRow,
  type ChangedRow,
  type CommitRow,
  type DocumentRow,
  type RowChange,
} from './rows.ts'
import type { ListQuery } from './store.ts'

// `char(0x10FFFF)` sorts after every id, so that one statement with an indexable range serves with and without `before`.
const pageOf = (id: string): string =>
  `${id} < coalesce(:before, char(0x10FFFF)) ORDER BY ${id} DESC LIMIT :limit`
const SQL = {
  get: 'SELECT id, version, body FROM document WHERE kind = ? AND id = ?',
  list: `SELECT id, version, body FROM document WHERE kind = :kind AND ${pageOf('id')}`,
  listFacet: `SELECT f.id, d.version, d.body FROM facet AS f CROSS JOIN document AS d ON d.kind = f.kind AND d.id = f.id
              WHERE f.kind = :kind AND f.facet = :facet AND ${pageOf('f.id')}`,
  count: 'SELECT count(*) AS total FROM document WHERE kind = ?',
  countFacet: 'SELECT count(*) AS total FROM facet WHERE kind = ? AND facet = ?',
  revision: `SELECT coalesce(max(seq), 0) AS total FROM revision WHERE kind IN (SELECT value FROM json_each(?))`,
  changed: `INSERT INTO revision (kind, seq) SELECT value, :seq FROM json_each(:kinds) WHERE true
            ON CONFLICT (kind) DO UPDATE SET seq = excluded.seq`,
  version: 'SELECT version FROM document WHERE kind = ? AND id = ?',
  put: `INSERT INTO document (kind, id, version, body) VALUES (?, ?, 1, ?) ON CONFLICT (kind, id)
        DO UPDATE SET version = version + 1, body = excluded.body`,
  remove: 'DELETE FROM document WHERE kind = ? AND id = ?',
  // Those that stay are not touched: most writes change none.
  dropFacets: `DELETE FROM facet WHERE kind = :kind AND id = :id
               AND facet NOT IN (SELECT value FROM json_each(:facets))`,
  addFacets: `INSERT OR IGNORE INTO facet (kind, id, facet) SELECT :kind, :id, value FROM json_each(:facets)`,
  audit: 'INSERT INTO audit (at, by, action, subject, detail, changed) VALUES (?, ?, ?, ?, ?, ?)',
  changes: 'SELECT changed FROM audit WHERE seq > ? AND seq <= ?',
  forget: 'DELETE FROM audit WHERE at < ?',
  tail: 'SELECT * FROM audit WHERE seq < coalesce(?, 9223372036854775807) ORDER BY seq DESC LIMIT ?',
} as const

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>

export class SqliteDocuments {
  readonly #db: DatabaseSync
  readonly #sql: Statements

  constructor(db: DatabaseSync) {
    this.#db = db
    const prepared = Object.entries(SQL).map(([name, text]) => [name, db.prepare(text)] as const)
    this.#sql = Object.fromEntries(prepared) as Statements
  }

  get(kind: Kind, id: string): DocumentRow | undefined {
    return this.#sql.get.get(kind, id) as DocumentRow | undefined
  }

  list(kind: Kind, { facet, limit = DEFAULT_LIMIT, before = null }: RowQuery): DocumentRow[] {
    const range = { kind, before, limit: Math.max(0, limit) }
    const rows =
      facet === undefined ? this.#sql.list.all(range) : this.#sql.listFacet.all({ ...range, facet })
    return rows as unknown as DocumentRow[]
  }

  count(kind: Kind, facet?: string): number {
    const row =
      facet === undefined ? this.#sql.count.get(kind) : this.#sql.countFacet.get(kind, facet)
    return Number(row?.['total'])
  }

  revision(kinds: readonly Kind[]): number {
    return Number(this.#sql.revision.get(JSON.stringify(kinds))?.['total'])
  }

  /** undefined: not every commit since then says what it has changed. */
  changes(since: number): FollowedRows | undefined {
    const last = this.revision(FOLLOWED)
    if (last === since) return { last, rows: [] }
    if (last < since || last - since > MAX_FOLLOWED_COMMITS) return undefined
    const names = new Set<string>()
    const entries = this.#sql.changes.all(since, last)
    if (entries.length !== last - since) return undefined
    for (const { changed } of entries) {
      if (typeof changed !== 'string') return undefined
      for (const name of JSON.parse(changed) as string[]) names.add(name)
    }
    if (names.size > MAX_FOLLOWED_RECORDS) return undefined
    const rows = [...names].map(namedIn).map(one => ({ ...one, row: this.get(one.kind, one.key) }))
    return { last, rows }
  }

  tail(limit: number, before: number | null): (AuditRow & { readonly seq: number })[] {
    const rows = this.#sql.tail.all(before, Math.max(0, limit))
    return rows as unknown as (AuditRow & { readonly seq: number })[]
  }

  forget(before: number): number {
    return Number(this.#sql.forget.run(before).changes)
  }

  /** All or nothing, on the disk when it returns. IMMEDIATE: the versions read are still true when they are written over. */
  commit(note: CommitRow, changes: readonly RowChange[]): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const change of changes) this.#write(change)
      const { at, by, action, subject, detail } = note
      const changed = JSON.stringify(note.changed)
      const { lastInsertRowid: seq } = this.#sql.audit.run(at, by, action, subject, detail, changed)
      const kinds = JSON.stringify([...new Set(changes.map(({ kind }) => kind))])
      this.#sql.changed.run({ seq, kinds })
      this.#db.exec('COMMIT')
    } catch (error) {
      // SQLite has already rolled back by itself after some errors, a full disk among them.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  #write({ kind, id, expects, facets, body }: RowChange): void {
    if (expects !== undefined) {
      const found = this.#sql.version.get(kind, id)?.['version'] ?? 'absent'
      if (found !== expects) throw new PreauError('PREAU_CONFLICT', { kind, id: idOf(id) })
    }
    if (body === null) this.#sql.remove.run(kind, id)
    else this.#sql.put.run(kind, id, body)
    this.#index(kind, id, facets)
  }

  #index(kind: string, id: string, facets: readonly string[]): void {
    const row = { kind, id, facets: JSON.stringify(facets) }
    this.#sql.dropFacets.run(row)
    this.#sql.addFacets.run(row)
  }
}

export interface FollowedRows {
  /** The number of the last commit that changed any. */
  readonly last: number
  readonly rows: readonly ChangedRow[]
}

type RowQuery = Omit<ListQuery, 'before'> & { readonly before?: string | null }
