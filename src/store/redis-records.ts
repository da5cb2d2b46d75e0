/** Keys and values of the Redis store, and the arguments of its scripts. */
import type { Kind } from '../policy/document.ts'
import type { Argument } from './redis-link.ts'
import {
  auditEntryOf,
  commitRowOf,
  DEFAULT_LIMIT,
  keyOf,
  type AuditRow,
  type ChangedRow,
  type DocumentRow,
  type RowChange,
} from './rows.ts'
import type { AuditEntry, CommitNote, ListQuery } from './store.ts'

export interface RedisKeys {
  readonly schema: string
  readonly seq: string
  readonly audit: string
  /** A hash: kind to the number of the last commit that changed a record of it. */
  readonly revisions: string
  readonly changes: string
  /** A hash: id to version, facets and body. */
  readonly documents: (kind: Kind) => string
  /** A sorted set of ids, all of them or those of a facet. */
  readonly index: (kind: Kind, facet?: string) => string
  readonly permit: (key: string) => string
  /** Of `redis-files.ts`. */
  readonly shared: (name: string) => string
}

/** All in one hash slot, that of the braces (redis.io/docs/reference/cluster-spec, hash tags). */
export function redisKeys(prefix: string): RedisKeys {
  const base = `{${prefix}}:`
  return {
    schema: `${base}schema`,
    seq: `${base}seq`,
    audit: `${base}audit`,
    revisions: `${base}revisions`,
    changes: `${base}changes`,
    documents: kind => `${base}doc:${kind}`,
    index: (kind, facet) =>
      facet === undefined ? `${base}ids:${kind}` : `${base}facet:${kind}:${facet}`,
    permit: key => `${base}permit:${key}`,
    shared: name => `${base}${name}`,
  }
}

export function commitArguments(
  marker: string,
  note: CommitNote,
  changes: readonly RowChange[],
): Argument[] {
  const args: Argument[] = [marker, JSON.stringify(commitRowOf(note, changes))]
  for (const { kind, id, expects, facets, body } of changes) {
    const version = expects === 'absent' ? '0' : String(expects ?? '')
    args.push(kind, id, version, JSON.stringify(facets), body === null ? '' : '1', body ?? '')
  }
  return args
}

export function rowOf(id: string, value: string): DocumentRow {
  const first = value.indexOf('\n')
  const second = value.indexOf('\n', first + 1)
  return { id, version: Number(value.slice(0, first)), body: value.slice(second + 1) }
}

/** Where a list stands, and which part of it is wanted. */
export const rangeOf = (
  keys: RedisKeys,
  kind: Kind,
  { facet, before, limit = DEFAULT_LIMIT }: ListQuery,
) => ({
  index: keys.index(kind, facet === undefined ? facet : keyOf(facet)),
  upTo: before === undefined ? '+' : `(${keyOf(before)}`,
  limit: Math.max(0, limit),
})

/** What `LIST` answers: id, value, id, value … */
export function rowsOf(flat: readonly string[]): DocumentRow[] {
  const rows: DocumentRow[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) rows.push(rowOf(flat[i] ?? '', flat[i + 1] ?? ''))
  return rows
}

/** What `CHANGES` answers after the number: kind, id, value or nothing … */
export function changedRowsOf(flat: readonly (string | null)[]): ChangedRow[] {
  const rows: ChangedRow[] = []
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const [kind, key, value] = [flat[i] as Kind, flat[i + 1] ?? '', flat[i + 2] ?? null]
    rows.push({ kind, key, row: value === null ? undefined : rowOf(key, value) })
  }
  return rows
}

/** An entry of a stream: its id, then its fields. */
export type StreamEntry = readonly [id: string, fields: readonly string[]]

export function entryOf([id, fields]: StreamEntry): AuditEntry {
  const row = JSON.parse(fields[1] ?? '') as AuditRow
  return auditEntryOf({ ...row, seq: Number.parseInt(id, 10) })
}

/** What HGETALL answers. */
export function pairsOf(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [
    flat[2 * i] ?? '',
    flat[2 * i + 1] ?? '',
  ])
}
