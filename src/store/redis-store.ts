/** The store of several machines: records, audit entries and counters in one Redis, each commit one script. */
import type { Redis } from 'ioredis'
import { PreauError } from '../errors.ts'
import type { Change, Kind } from '../policy/document.ts'
import { answerHealth } from './health.ts'
import { RedisAudit } from './redis-audit.ts'
import { RedisChanges } from './redis-changes.ts'
import type { RedisConnector } from './redis-connect.ts'
import { readingError, unavailable, writingError } from './redis-error.ts'
import { RedisFiles } from './redis-files.ts'
import { durabilityWarnings } from './redis-health.ts'
import { RedisLink } from './redis-link.ts'
import { findStore } from './redis-marker.ts'
import { RedisPermits } from './redis-permits.ts'
import { commitArguments, rowOf, rowsOf, type RedisKeys } from './redis-records.ts'
import { RedisReplication } from './redis-replication.ts'
import { COMMIT, LIST, PROBE } from './redis-scripts.ts'
import { RedisWatch } from './redis-watch.ts'
import { DEFAULT_LIMIT, keyOf, rowChangeOf, storedOf } from './rows.ts'
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

export interface RedisStoreOptions {
  readonly connector: RedisConnector
  readonly keys: RedisKeys
  /** What people know the place by, without its password. */
  readonly place: string
  readonly replicas: number
  /** Whether a replica may take over without a person. */
  readonly canFailOver: boolean
  readonly timeoutMs: number
  /** How many attempts to connect before `opened` rejects. */
  readonly attempts: number
  readonly mayCreate: boolean
}

/** For a chunk of a file over a slow line. */
const FILE_TIMEOUT_MS = 15_000

export class RedisStore implements Store {
  readonly permits: Permits
  readonly files: RedisFiles
  readonly #options: RedisStoreOptions
  readonly #link: RedisLink
  /** The same one, where no replica has to be waited for. */
  readonly #writes: RedisLink
  readonly #replication: RedisReplication
  readonly #audit: RedisAudit
  readonly #changes: RedisChanges
  readonly #watch: RedisWatch
  readonly #pending = new Set<Promise<unknown>>()
  #marker: string | undefined
  #closing: Promise<void> | undefined

  constructor(options: RedisStoreOptions) {
    this.#options = options
    const { connector, keys, timeoutMs, replicas } = options
    this.#watch = new RedisWatch({
      connector,
      timeoutMs,
      channel: keys.changes,
      readSeq: () => this.#readSeq(),
    })
    this.#link = this.#openLink()
    this.#writes = replicas === 0 ? this.#link : this.#openLink()
    this.#replication = new RedisReplication(this.#writes, replicas, timeoutMs)
    this.#audit = new RedisAudit(this.#link, keys.audit)
    this.#changes = new RedisChanges(this.#link, keys)
    this.permits = new RedisPermits(this.#link, keys, run => this.#reading(run))
    const connect = (): RedisLink => this.#openLink(FILE_TIMEOUT_MS)
    this.files = new RedisFiles({ connect, key: keys.shared })
  }

  /** Resolves when it can be used; rejects with what is wrong. */
  async opened(): Promise<void> {
    try {
      await Promise.all([this.#link.firstAttempts, this.#writes.firstAttempts])
    } catch (error) {
      throw readingError(error)
    }
  }

  get<K extends Kind>(kind: K, id: string): Promise<Stored<K> | undefined> {
    return this.#reading(async () => {
      const key = keyOf(id)
      const value = await this.#link.call('HGET', [this.#options.keys.documents(kind), key])
      return value === null ? undefined : storedOf(kind, rowOf(key, value as string))
    })
  }

  list<K extends Kind>(kind: K, query: ListQuery = {}): Promise<Stored<K>[]> {
    const { facet, before, limit = DEFAULT_LIMIT } = query
    const { keys } = this.#options
    return this.#reading(async () => {
      const index = keys.index(kind, facet === undefined ? facet : keyOf(facet))
      const upTo = before === undefined ? '+' : `(${keyOf(before)}`
      const args = [upTo, Math.max(0, limit)]
      const flat = await this.#link.run(LIST, [index, keys.documents(kind)], args)
      return rowsOf(flat as string[]).map(row => storedOf(kind, row))
    })
  }

  count(kind: Kind, facet?: string): Promise<number> {
    const index = this.#options.keys.index(kind, facet === undefined ? facet : keyOf(facet))
    return this.#reading(async () => Number(await this.#link.call('ZCARD', [index])))
  }

  revision(kinds: readonly Kind[]): Promise<string> {
    return this.#reading(() => this.#changes.revision(kinds))
  }

  changes(since: string): Promise<Changes | undefined> {
    return this.#reading(() => this.#changes.since(since, this.#marker ?? ''))
  }

  commit(note: CommitNote, changes: readonly Change[]): Promise<void> {
    return this.#tracked(async () => {
      const args = commitArguments(this.#marker ?? '', note, changes.map(rowChangeOf))
      const asked = this.#writes.run(COMMIT, [this.#options.keys.seq], args)
      const seq = Number(
        await asked.catch((error: unknown) => {
          throw writingError(error)
        }),
      )
      if (seq <= 0) throw this.#refusal(changes[-seq - 1])
      const { epoch } = this.#writes
      // Written it is, whoever has acknowledged it.
      this.#watch.told(seq)
      await this.#replication.confirm(epoch)
    })
  }

  tail(query: { readonly limit: number; readonly before?: number }): Promise<AuditEntry[]> {
    return this.#reading(() => this.#audit.tail(query))
  }

  forget(before: number): Promise<number> {
    return this.#reading(() => this.#audit.forget(before))
  }

  watch(onChange: () => void): () => void {
    return this.#watch.listen(onChange)
  }

  check(): Promise<StoreHealth> {
    const { replicas: wanted, canFailOver } = this.#options
    const replication = { wanted, canFailOver }
    return answerHealth(
      this.#reading(async () => {
        await this.#writes.run(PROBE, [this.#options.keys.schema], [])
        return durabilityWarnings(this.#link, replication)
      }),
    )
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#pending)
    const links = [this.#watch, this.#link, this.#writes, this.files]
    await Promise.all(links.map(link => link.close()))
  }

  #openLink(timeoutMs = this.#options.timeoutMs): RedisLink {
    const { connector, attempts } = this.#options
    return new RedisLink(connector, {
      timeoutMs,
      attempts,
      prepare: redis => this.#prepare(redis),
      // There was a time without it.
      onUp: () => this.#watch.raise(),
    })
  }

  /** A new connection is used only where it leads to the store that this process has opened, and may be written. */
  async #prepare(redis: Redis): Promise<void> {
    const { keys, place, mayCreate } = this.#options
    // The greeting ignores an answer that there is no such database.
    if ((redis.options.db ?? 0) > 0) await redis.select(redis.options.db ?? 0)
    const role = (await redis.role().catch(ignoreForbidden)) as [string] | undefined
    if (role !== undefined && role[0] !== 'master') throw new Error('this Redis is a replica')
    const { marker, seq } = await findStore(redis, {
      key: keys.schema,
      marker: this.#marker,
      mayCreate: mayCreate && this.#marker === undefined,
      place,
    })
    this.#marker = marker
    this.#watch.found(seq)
  }

  async #readSeq(): Promise<number> {
    const { schema, seq } = this.#options.keys
    const [marker, found] = (await this.#link.call('MGET', [schema, seq])) as (string | null)[]
    if (marker === this.#marker) return Number(found ?? 0)
    throw this.#lost()
  }

  #refusal(change: Change | undefined): PreauError {
    if (change === undefined) return unavailable(this.#lost())
    return new PreauError('PREAU_CONFLICT', { kind: change.kind, id: change.id })
  }

  // The next connection looks what is there.
  #lost(): Error {
    const reason = new Error('the data in Redis are not any more those of this store')
    this.#link.giveUp(reason)
    this.#writes.giveUp(reason)
    return reason
  }

  async #reading<T>(run: () => Promise<T>): Promise<T> {
    return this.#tracked(async () => {
      try {
        return await run()
      } catch (error) {
        throw readingError(error)
      }
    })
  }

  async #tracked<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw unavailable(new Error('the store is closed'))
    const running = run()
    this.#pending.add(running)
    try {
      return await running
    } finally {
      this.#pending.delete(running)
    }
  }
}

function ignoreForbidden(error: unknown): undefined {
  if (error instanceof Error && error.message.startsWith('NOPERM')) return undefined
  throw error
}
