/** The store of several machines: records, audit entries and counters in one Redis, each commit one script. */
import type { Redis } from 'ioredis'
import { PreauError } from '../errors.ts'
import type { Change, Kind } from '../policy/document.ts'
import { Calls } from './calls.ts'
import { answerHealth } from './health.ts'
import { RedisAcknowledged } from './redis-acknowledged.ts'
import { RedisAudit } from './redis-audit.ts'
import { RedisChanges } from './redis-changes.ts'
import type { RedisConnector } from './redis-connect.ts'
import { failReading, failWriting, unavailable } from './redis-error.ts'
import { RedisFiles } from './redis-files.ts'
import { durabilityWarnings } from './redis-health.ts'
import { RedisLink } from './redis-link.ts'
import { assertMaster, findStore } from './redis-marker.ts'
import { RedisPermits } from './redis-permits.ts'
import { commitArguments, rangeOf, rowOf, rowsOf, type RedisKeys } from './redis-records.ts'
import { RedisReplication } from './redis-replication.ts'
import { COMMIT, LIST, PROBE } from './redis-scripts.ts'
import { RedisWatch } from './redis-watch.ts'
import { keyOf, rowChangeOf, storedOf } from './rows.ts'
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
  /** How many there are: each must have a change before it is acknowledged. */
  readonly replicas: number
  /** After how long one that is away is not waited for; a minute when not given. */
  readonly absentMs?: number
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
  readonly #writes: RedisLink
  /** The same one, where no replica has to be waited for. */
  readonly #link: RedisLink
  readonly #replication: RedisReplication
  /** Of what was read. */
  readonly #seen: RedisReplication
  readonly #acknowledged: RedisAcknowledged
  readonly #audit: RedisAudit
  readonly #changes: RedisChanges
  readonly #watch: RedisWatch
  readonly #calls = new Calls(() => unavailable(new Error('the store is closed')))
  #marker: string | undefined
  #closing: Promise<void> | undefined

  constructor(options: RedisStoreOptions) {
    this.#options = options
    const { connector, keys, timeoutMs, replicas, absentMs } = options
    this.#acknowledged = new RedisAcknowledged(keys.audit)
    this.#watch = new RedisWatch({
      connector,
      timeoutMs,
      channel: keys.changes,
      readSeq: () => this.#readSeq(),
    })
    this.#writes = this.#openLink(timeoutMs, this.#acknowledged)
    this.#link = replicas === 0 ? this.#writes : this.#openLink()
    const waiting = { replicas, timeoutMs, absentMs }
    this.#replication = new RedisReplication({ link: this.#writes, ...waiting })
    this.#seen = new RedisReplication({ link: this.#link, ...waiting })
    this.#audit = new RedisAudit(this.#link, keys.audit)
    this.#changes = new RedisChanges(this.#link, keys)
    this.permits = new RedisPermits(this.#link, keys, run => this.#reading(run))
    const connect = (): RedisLink => this.#openLink(FILE_TIMEOUT_MS)
    this.files = new RedisFiles({ connect, key: keys.shared, replicas })
  }

  /** Resolves when it can be used; rejects with what is wrong. */
  async opened(): Promise<void> {
    const both = [this.#link.firstAttempts, this.#writes.firstAttempts]
    await Promise.all(both).catch(failReading)
  }

  get<K extends Kind>(kind: K, id: string): Promise<Stored<K> | undefined> {
    return this.#reading(async () => {
      const key = keyOf(id)
      const value = await this.#link.call('HGET', [this.#options.keys.documents(kind), key])
      return value === null ? undefined : storedOf(kind, rowOf(key, value as string))
    })
  }

  list<K extends Kind>(kind: K, query: ListQuery = {}): Promise<Stored<K>[]> {
    const { index, upTo, limit } = rangeOf(this.#options.keys, kind, query)
    const keys = [index, this.#options.keys.documents(kind)]
    return this.#reading(async () => {
      const flat = await this.#link.run(LIST, keys, [upTo, limit])
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

  async confirmed<T>(read: () => Promise<T>): Promise<T> {
    const { epoch } = this.#link
    const found = await read()
    await this.#seen.confirm(epoch)
    return found
  }

  commit(note: CommitNote, changes: readonly Change[]): Promise<void> {
    return this.#calls.run(async () => {
      const args = commitArguments(this.#marker ?? '', note, changes.map(rowChangeOf))
      const asked = this.#writes.run(COMMIT, [this.#options.keys.seq], args)
      const seq = Number(await asked.catch(failWriting))
      if (seq <= 0) throw this.#refusal(changes[-seq - 1])
      const { epoch } = this.#writes
      // Written it is, whoever has acknowledged it.
      this.#watch.told(seq)
      await this.#replication.confirm(epoch)
      this.#acknowledged.add(seq, String(args[1]), note)
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
    const { canFailOver, replicas: wanted } = this.#options
    const { lost } = this.#acknowledged
    return answerHealth(
      this.#reading(async () => {
        await this.#writes.run(PROBE, [this.#options.keys.schema], [])
        return durabilityWarnings(this.#link, { wanted, canFailOver, lost })
      }),
    )
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#calls.close()
    for (const replication of [this.#replication, this.#seen]) replication.close()
    const links = [this.#watch, this.#link, this.#writes, this.files]
    await Promise.all(links.map(link => link.close()))
  }

  /** `acknowledged`: is to be looked for on each new connection. */
  #openLink(timeoutMs = this.#options.timeoutMs, acknowledged?: RedisAcknowledged): RedisLink {
    const { connector, attempts } = this.#options
    return new RedisLink(connector, {
      timeoutMs,
      attempts,
      prepare: redis => this.#prepare(redis, acknowledged),
      // There was a time without it.
      onUp: () => this.#watch.raise(),
    })
  }

  /** A new connection is used only where it leads to the store that this process has opened, and may be written. */
  async #prepare(redis: Redis, acknowledged: RedisAcknowledged | undefined): Promise<void> {
    const { keys, place, mayCreate } = this.#options
    // The greeting ignores an answer that there is no such database.
    if ((redis.options.db ?? 0) > 0) await redis.select(redis.options.db ?? 0)
    await assertMaster(redis)
    const { marker, seq } = await findStore(redis, {
      key: keys.schema,
      marker: this.#marker,
      mayCreate: mayCreate && this.#marker === undefined,
      place,
    })
    this.#marker = marker
    await acknowledged?.compare(redis, seq)
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

  #reading<T>(run: () => Promise<T>): Promise<T> {
    return this.#calls.run(() => run().catch(failReading))
  }
}
