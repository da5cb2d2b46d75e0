/** The audit entries in Redis: a stream whose ids are the numbers of the commits. */
import type { RedisLink } from './redis-link.ts'
import { entryOf, type StreamEntry } from './redis-records.ts'
import type { AuditEntry } from './store.ts'

const BATCH = 500
const DAY_MS = 86_400_000
/** Clocks of machines differ: entries stand in the order of the commits, not quite in that of their times. */
const SLACK_MS = 7 * DAY_MS
/** Nothing is kept for longer than a year: what is younger is of a clock that was ahead, and says nothing of what follows. */
const LONGEST_KEPT_MS = 370 * DAY_MS

export class RedisAudit {
  readonly #link: RedisLink
  readonly #key: string

  constructor(link: RedisLink, key: string) {
    this.#link = link
    this.#key = key
  }

  async tail({ limit, before }: { limit: number; before?: number }): Promise<AuditEntry[]> {
    if (limit <= 0 || (before !== undefined && before < 1)) return []
    const from = before === undefined ? '+' : before - 1
    const entries = await this.#link.call('XREVRANGE', [this.#key, from, '-', 'COUNT', limit])
    return (entries as StreamEntry[]).map(entryOf)
  }

  /** From the oldest on, in bites that hold nobody up; ends where all are younger by more than clocks differ. */
  async forget(before: number): Promise<number> {
    let forgotten = 0
    for (let from = 0; ;) {
      const answer = await this.#link.call('XRANGE', [this.#key, from, '+', 'COUNT', BATCH])
      const entries = (answer as StreamEntry[]).map(entryOf)
      const old = entries.filter(({ at }) => at < before).map(({ seq }) => `${seq}-0`)
      if (old.length > 0) forgotten += Number(await this.#link.call('XDEL', [this.#key, ...old]))
      const last = entries.at(-1)
      const times = entries.map(({ at }) => at).filter(at => at < before + LONGEST_KEPT_MS)
      const isYoung = times.length > 0 && times.every(at => at >= before + SLACK_MS)
      if (last === undefined || entries.length < BATCH || isYoung) return forgotten
      from = last.seq + 1
    }
  }
}
