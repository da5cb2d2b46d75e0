/** Records and audit entries as the engines hold them: bodies and details are JSON text, so that they cross as they are. */
import { facetsOf, FOLLOWED, type Change, type Documents, type Kind } from '../policy/document.ts'
import type { AuditEntry, Changed, CommitNote, ListQuery, Stored } from './store.ts'

export interface DocumentRow {
  readonly id: string
  readonly version: number
  readonly body: string
}

/** A `Change` ready to be written: its facets derived, its body as JSON text. */
export interface RowChange {
  readonly kind: Kind
  readonly id: string
  readonly expects?: number | 'absent'
  readonly facets: readonly string[]
  readonly body: string | null
}

export interface AuditRow {
  readonly at: number
  readonly by: string
  readonly action: string
  readonly subject: string | null
  /** JSON text. */
  readonly detail: string | null
}

/** An audit entry as a commit writes it. */
export interface CommitRow extends AuditRow {
  /** The records of followed kinds that it has changed (`namedIn`). Entries of an older Préau, and copied ones, lack it. */
  readonly changed: readonly string[]
}

/** A record that was changed; `row` is undefined where it is gone. */
export interface ChangedRow {
  readonly kind: Kind
  readonly key: string
  readonly row: DocumentRow | undefined
}

/** Changes are told one by one up to so many commits, and so many records of them: beyond, reading all costs less. */
export const MAX_FOLLOWED_COMMITS = 500
export const MAX_FOLLOWED_RECORDS = 1_000

export const DEFAULT_LIMIT = 1_000

/** Half of a surrogate pair alone: no UTF-8 can write it. The backslash itself is doubled, so that each id has its own text. */
const UNWRITABLE = /\\|[\uD800-\uDFFF]/gu
const WRITTEN = /\\(\\|u[0-9a-f]{4})/g

/** An id as text that every engine keeps. */
export function keyOf(id: string): string {
  return id.replace(UNWRITABLE, found =>
    found === '\\' ? '\\\\' : `\\u${found.charCodeAt(0).toString(16)}`,
  )
}

export function idOf(key: string): string {
  return key.replace(WRITTEN, (_, found: string) =>
    found === '\\' ? '\\' : String.fromCharCode(Number.parseInt(found.slice(1), 16)),
  )
}

export function storedOf<K extends Kind>(kind: K, { id, version, body }: DocumentRow): Stored<K> {
  return { kind, id: idOf(id), version, body: JSON.parse(body) as Documents[K] }
}

export function rowChangeOf(change: Change): RowChange {
  const { kind, id, expects, body } = change
  return {
    kind,
    id: keyOf(id),
    ...(expects === undefined ? {} : { expects }),
    facets: facetsOf(change).map(keyOf),
    body: body === null ? null : JSON.stringify(body),
  }
}

export function rowQueryOf({ facet, before, limit }: ListQuery): ListQuery {
  return {
    ...(facet === undefined ? {} : { facet: keyOf(facet) }),
    ...(before === undefined ? {} : { before: keyOf(before) }),
    ...(limit === undefined ? {} : { limit }),
  }
}

export function commitRowOf(
  { at, by, action, subject, detail }: CommitNote,
  changes: readonly RowChange[],
): CommitRow {
  const text = detail === undefined ? null : JSON.stringify(detail)
  const followed = changes.filter(({ kind }) => FOLLOWED.some(one => one === kind))
  const changed = [...new Set(followed.map(({ kind, id }) => `${kind}\n${id}`))]
  return { at, by, action, subject: subject ?? null, detail: text, changed }
}

/** The kind and the key that `changed` names. */
export function namedIn(name: string): { readonly kind: Kind; readonly key: string } {
  const end = name.indexOf('\n')
  return { kind: name.slice(0, end) as Kind, key: name.slice(end + 1) }
}

export function changedOf({ kind, key, row }: ChangedRow): Changed {
  return { kind, id: idOf(key), now: row && storedOf(kind, row) } as Changed
}

export function auditEntryOf(row: AuditRow & { readonly seq: number }): AuditEntry {
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
