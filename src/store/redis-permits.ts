/** The permits in Redis: counters that end by themselves, on its clock. */
import type { RedisLink } from './redis-link.ts'
import type { RedisKeys } from './redis-records.ts'
import { GIVE_BACK, TAKE } from './redis-scripts.ts'
import { keyOf } from './rows.ts'
import type { PermitRule, Permits, Taken } from './store.ts'

/** Runs what asks Redis, and turns what goes wrong into the errors of the store. */
type Run = <T>(ask: () => Promise<T>) => Promise<T>

export class RedisPermits implements Permits {
  readonly #link: RedisLink
  readonly #keys: RedisKeys
  readonly #run: Run

  constructor(link: RedisLink, keys: RedisKeys, run: Run) {
    this.#link = link
    this.#keys = keys
    this.#run = run
  }

  take(key: string, { max, windowMs, isSliding = false }: PermitRule): Promise<Taken> {
    // A fraction would be refused when the permit is already taken.
    const args = [max, Math.ceil(windowMs), isSliding ? '1' : '']
    return this.#run(async () => {
      const answer = await this.#link.run(TAKE, [this.#keyOf(key)], args)
      const [isTaken, taken, leftMs] = answer as [number, number, number]
      return { isTaken: isTaken === 1, taken, leftMs }
    })
  }

  giveBack(key: string): Promise<void> {
    return this.#run(async () => void (await this.#link.run(GIVE_BACK, [this.#keyOf(key)], [])))
  }

  clear(key: string): Promise<void> {
    return this.#run(async () => void (await this.#link.call('DEL', [this.#keyOf(key)])))
  }

  #keyOf(key: string): string {
    return this.#keys.permit(keyOf(key))
  }
}
