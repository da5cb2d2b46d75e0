/**
 * The interface of the shared state: small versioned documents, atomic commits that audit themselves, a watch without
 * payload, and counters of short life. Implementations: `sqlite-store.ts` (embedded) and `redis-store.ts` (several
 * machines).
 */
import type { Words } from '../errors.ts'
import type { Change, Documents, FollowedKind, Kind } from '../policy/document.ts'
import type { SharedFiles } from './shared-files.ts'

export interface Stored<K extends Kind> {
  readonly kind: K
  readonly id: string
  /** 1 when created, one more at each write. */
  readonly version: number
  readonly body: Documents[K]
}

/** Changes of followed kinds, each record once and as it is now; maybe also some that are no newer than `since`. */
export interface Changes {
  /** Of the followed kinds, as far as these changes go. */
  readonly revision: string
  readonly changed: readonly Changed[]
}

export type Changed = {
  [K in FollowedKind]: {
    readonly kind: K
    readonly id: string
    /** undefined: it is gone. */
    readonly now: Stored<K> | undefined
  }
}[FollowedKind]

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
  /** Grows with each commit. */
  readonly seq: number
}

export interface ListQuery {
  /** One of the names that `facetsOf` derives: `pending`, `active`, `host:<host>` … */
  readonly facet?: string
  /** 1000 when not given. */
  readonly limit?: number
  /** Only ids that sort before this one (ids of requests and grants are time-ordered, newest first here). */
  readonly before?: string
}

export interface Store {
  get<K extends Kind>(kind: K, id: string): Promise<Stored<K> | undefined>
  /** Records of a kind, the greatest id first. */
  list<K extends Kind>(kind: K, query?: ListQuery): Promise<Stored<K>[]>
  count(kind: Kind, facet?: string): Promise<number>
  /**
   * A text that is another one after each commit that changes a record of these kinds, and after a loss of the connection
   * (`isSameSight`). Asked before the records are read, it spares reading them again as long as it stays the same.
   */
  revision(kinds: readonly Kind[]): Promise<string>
  /**
   * What has changed since a revision of the followed kinds. undefined where that cannot be told for certain (too long ago, a
   * connection that was lost, another data set, a commit of an older Préau): all must be read then.
   */
  changes(since: string): Promise<Changes | undefined>
  /**
   * Writes all changes and the audit entry, or nothing. When the promise resolves they survive a power cut.
   * Throws PREAU_CONFLICT when a record has not the expected version, PREAU_STORE_UNAVAILABLE when it cannot write: where
   * the engine fell silent in the middle it may have been written all the same, and the error says so.
   */
  commit(note: CommitNote, changes: readonly Change[]): Promise<void>
  /**
   * Answers what `read` finds once that is as safe as what was acknowledged: a commit that was not, since replicas lack it, can
   * be read all the same. For whoever acknowledges by what he reads. Throws what `read` throws, and PREAU_STORE_UNAVAILABLE.
   */
  confirmed<T>(read: () => Promise<T>): Promise<T>
  /** The newest audit entries first. */
  tail(query: { readonly limit: number; readonly before?: number }): Promise<AuditEntry[]>
  /** Deletes the audit entries from before an instant (epoch ms), since they name people and PCs; answers how many. */
  forget(before: number): Promise<number>
  /** Calls back soon after any commit, of this process or another; no payload: read again. Returns the function that stops it. */
  watch(onChange: () => void): () => void
  /** Counters of short life, shared by all processes and machines on this store. */
  readonly permits: Permits
  /** How the engine is, asked now and answered within a second. Never rejects. */
  check(): Promise<StoreHealth>
  /** Files that all machines need (indexes, kept lists); absent where one machine has the store to itself. */
  readonly files?: SharedFiles
  /** Waits for the calls made before; calls made later are rejected. */
  close(): Promise<void>
}

export interface PermitRule {
  readonly max: number
  readonly windowMs: number
  /** The window counts from the last successful take instead of the first. */
  readonly isSliding?: boolean
}

/** What a take came to. `taken`: how many are taken now; `leftMs`: until all of them are free again. */
export interface Taken {
  readonly isTaken: boolean
  readonly taken: number
  readonly leftMs: number
}

/**
 * Counters of short life: rate limits, sign-in locks. They may be lost with the machine, never wrong meanwhile; time is
 * that of the engine. All throw PREAU_STORE_UNAVAILABLE.
 */
export interface Permits {
  /** Takes one of `max` in a window that begins at the first take. A refused take changes nothing. */
  take(key: string, rule: PermitRule): Promise<Taken>
  /** Gives one back; the window goes on. */
  giveBack(key: string): Promise<void>
  clear(key: string): Promise<void>
}

/** What makes the durability weaker than promised; worded by those who show it. */
export interface StoreWarning {
  readonly code: StoreWarningCode
  readonly params?: Readonly<Record<string, string | number>>
}

export type StoreWarningCode =
  /** Nothing is written to the disk: all is lost with the process of the engine. */
  | 'appendonly-off'
  /** `policy`: up to a second (`everysec`) or more (`no`) is lost with the machine. */
  | 'appendfsync-weak'
  /** `policy`: records are thrown away when the memory is full. */
  | 'evicting'
  /** Fewer replicas acknowledge than asked for: `found`, `wanted`. */
  | 'replicas-missing'
  /** More replicas may take over (sentinels, cluster) than are waited for: `found`, `wanted`. What one lacks would be lost. */
  | 'failover-unsafe'
  /** The engine came back without what this process had acknowledged: `count` of them, `names` of some. */
  | 'acts-lost'
  /** `found`, `oldest`. */
  | 'engine-old'
  /** The settings could not be read: `detail`. */
  | 'unchecked'

export interface StoreHealth {
  /** False too where it can be read but records nothing: no memory, no disk, no replica. */
  readonly isUp: boolean
  /** Why it is down. */
  readonly detail?: string | Words
  readonly warnings: readonly StoreWarning[]
}
