/** A flood of failed sign-ins must not flood the audit log: past the budget of an hour they are only counted. */
import type { Permits } from '../store/store.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const LOGGED_PER_HOUR = { max: 200, windowMs: HOUR_MS }
/** Told in the first entry of the next budget, or a day after the last one no more. */
const COUNTED = { max: Number.MAX_SAFE_INTEGER, windowMs: DAY_MS, isSliding: true }
const [LOGGED_KEY, COUNTED_KEY] = ['sign-in:logged', 'sign-in:counted']

export interface Spent {
  readonly isLogged: boolean
  /** Those before this one that were only counted, by whichever process. */
  readonly unlogged: number
}

/** One budget for all admin processes. Throws what the store throws. */
export function createAuditBudget(permits: Permits): () => Promise<Spent> {
  return async () => {
    const { isTaken, taken } = await permits.take(LOGGED_KEY, LOGGED_PER_HOUR)
    if (!isTaken)
      return { isLogged: false, unlogged: (await permits.take(COUNTED_KEY, COUNTED)).taken }
    // Only the first one of a budget can have any before it.
    if (taken > 1) return { isLogged: true, unlogged: 0 }
    const counted = await permits.take(COUNTED_KEY, COUNTED)
    await permits.clear(COUNTED_KEY)
    return { isLogged: true, unlogged: counted.taken - 1 }
  }
}
