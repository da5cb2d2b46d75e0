/**
 * The interface of the shared state: small versioned documents, atomic commits that audit themselves, and a watch
 * without payload. Implementations: `sqlite-store.ts` (embedded); Redis comes behind the same interface.
 */
import type { Change, Documents, Kind } from '../policy/document.ts'

export interface Stored<K extends Kind> {
  readonly kind: K
  readonly id: string
  /** 1 when created, one more at each write. */
  readonly version: number
  readonly body: Documents[K]
}

/** Who did what, why and when. `subject` is what a reader searches for: a host, a user name. */
export interface CommitNote {
  /** A user's name, `pc:<ip>`, `cli` or `system`. */
  readonly by: string
  /** e.g. `request.open`, `request.approve`, `grant.revoke`, `policy.import`. */
  readonly action: string
  readonly subject?: string
  readonly detail?: Readonly<Record<string, string | number | boolean | null>>
  /** Epoch ms. */
  readonly at: number
}

export interface AuditEntry extends CommitNote {
  /** Grows by one with each commit. */
  readonly seq: number
}

export interface ListQuery {
  /** As `stateOf` derives it: `pending`, `approved`, `refused` for requests, `active`, `ended` for grants. */
  readonly state?: string
  readonly limit?: number
  /** Only ids that sort before this one (ids of requests and grants are time-ordered, newest first here). */
  readonly before?: string
}

export interface Store {
  get<K extends Kind>(kind: K, id: string): Promise<Stored<K> | undefined>
  /** Records of a kind, the greatest id first. */
  list<K extends Kind>(kind: K, query?: ListQuery): Promise<Stored<K>[]>
  count(kind: Kind, state?: string): Promise<number>
  /**
   * Writes all changes and the audit entry, or nothing. When the promise resolves they survive a power cut.
   * Throws PREAU_CONFLICT when a record has not the expected version, PREAU_STORE_UNAVAILABLE when it cannot write.
   */
  commit(note: CommitNote, changes: readonly Change[]): Promise<void>
  /** The newest audit entries first. */
  tail(query: { readonly limit: number; readonly before?: number }): Promise<AuditEntry[]>
  /** Deletes the audit entries from before an instant (epoch ms), since they name people and PCs; answers how many. */
  forget(before: number): Promise<number>
  /** Calls back soon after any commit, of this process or another; no payload: read again. Returns the function that stops it. */
  watch(onChange: () => void): () => void
  close(): Promise<void>
}
