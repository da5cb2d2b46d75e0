/**
 * What this process has acknowledged of late, to be looked for on each new connection: a Redis that took over without it
 * has lost it, whatever its settings promised, and that must not pass in silence.
 */
import type { Redis } from 'ioredis'
import type { StreamEntry } from './redis-records.ts'
import type { CommitNote } from './store.ts'

interface Acknowledged {
  readonly seq: number
  /** The audit entry, word for word. */
  readonly entry: string
  readonly name: string
  /** On a clock that is never set back. */
  readonly at: number
}

export interface Lost {
  readonly count: number
  /** What the newest of them were about, few. */
  readonly names: readonly string[]
}

/** A server that is minutes behind was not a replica; the audit itself is forgotten after days. */
const REMEMBER_MS = 600_000
const MAX_REMEMBERED = 256
const MAX_NAMES = 5

export class RedisAcknowledged {
  readonly #key: string
  #latest: Acknowledged[] = []
  #highest = 0
  #lost: Lost = { count: 0, names: [] }

  /** `key`: of the audit. */
  constructor(key: string) {
    this.#key = key
  }

  /** All that was found to be missing since this process began. */
  get lost(): Lost {
    return this.#lost
  }

  add(seq: number, entry: string, { action, subject = '' }: CommitNote): void {
    this.#highest = Math.max(this.#highest, seq)
    this.#latest.push({ seq, entry, name: `${action} ${subject}`.trim(), at: performance.now() })
    // Not one by one: it would be moved each time.
    if (this.#latest.length >= 2 * MAX_REMEMBERED)
      this.#latest = this.#latest.slice(-MAX_REMEMBERED)
  }

  /** `seq`: the counter of commits there. Throws what Redis answers; then nothing has been compared. */
  async compare(redis: Redis, seq: number): Promise<void> {
    const since = performance.now() - REMEMBER_MS
    const wanted = this.#latest.slice(-MAX_REMEMBERED).filter(({ at }) => at > since)
    const found = await Promise.all(wanted.map(each => this.#entryAt(redis, each.seq)))
    const missing = wanted.filter(({ entry }, i) => found[i] !== entry)
    // What is older is known by its number alone, which is shared: others may tell the same.
    const count = missing.length || this.#highest - seq
    const isGone = new Set(missing)
    this.#latest = this.#latest.filter(each => !isGone.has(each))
    this.#highest = Math.min(this.#highest, seq)
    if (count <= 0) return
    const names = [...this.#lost.names, ...missing.map(({ name }) => name)].slice(-MAX_NAMES)
    this.#lost = { count: this.#lost.count + count, names }
  }

  async #entryAt(redis: Redis, seq: number): Promise<string | undefined> {
    const entries = (await redis.xrange(this.#key, seq, seq)) as StreamEntry[]
    return entries[0]?.[1][1]
  }
}
