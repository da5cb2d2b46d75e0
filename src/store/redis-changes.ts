/** Tells what has changed in Redis since a look at it, so that who follows need not read all again. */
import { FOLLOWED, type Kind } from '../policy/document.ts'
import type { RedisLink } from './redis-link.ts'
import { changedRowsOf, type RedisKeys } from './redis-records.ts'
import { CHANGES } from './redis-scripts.ts'
import { isSameSight, revisionOf, seqOf } from './revision.ts'
import { changedOf, MAX_FOLLOWED_COMMITS, MAX_FOLLOWED_RECORDS } from './rows.ts'
import type { Changes } from './store.ts'

export class RedisChanges {
  readonly #link: RedisLink
  readonly #keys: RedisKeys

  constructor(link: RedisLink, keys: RedisKeys) {
    this.#link = link
    this.#keys = keys
  }

  async revision(kinds: readonly Kind[]): Promise<string> {
    // A Redis that took over may lack the last commits and count others by the same numbers.
    const { epoch } = this.#link
    const found = await this.#link.call('HMGET', [this.#keys.revisions, ...kinds])
    return revisionOf(epoch, Math.max(0, ...(found as (string | null)[]).map(Number)))
  }

  /** `marker`: that of the store which is meant. */
  async since(revision: string, marker: string): Promise<Changes | undefined> {
    const { epoch } = this.#link
    if (!isSameSight(revision, revisionOf(epoch, 0))) return undefined
    const limits = [MAX_FOLLOWED_COMMITS, MAX_FOLLOWED_RECORDS]
    const args = [marker, seqOf(revision), ...limits, ...FOLLOWED]
    const told = (await this.#link.run(CHANGES, [this.#keys.seq], args)) as string[]
    const [last, ...changed] = told
    // It may have been asked twice, the second time on another connection.
    if (last === undefined || this.#link.epoch !== epoch) return undefined
    return {
      revision: revisionOf(epoch, Number(last)),
      changed: changedRowsOf(changed).map(changedOf),
    }
  }
}
