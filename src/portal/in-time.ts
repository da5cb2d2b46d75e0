/** Somebody waits for this answer: it comes in time, or an honest word that it did not. */
import { PreauError } from '../errors.ts'

/** A store that is silent is given up sooner by its own time; one that is merely slow takes this long for several calls. */
const PATIENCE_MS = 2_000

/**
 * Throws PREAU_STORE_UNAVAILABLE when `work` takes longer. It then goes on unheard, so what has not begun must ask
 * `isLate` first: the person was told that nothing is recorded.
 */
export async function inTime<T>(
  work: (isLate: () => boolean) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  let isLate = false
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    isLate = true
    late.reject(tooLate(patienceMs))
  }, patienceMs)
  try {
    return await Promise.race([work(() => isLate), late.promise])
  } finally {
    clearTimeout(timer)
  }
}

export const tooLate = (patienceMs = PATIENCE_MS): PreauError =>
  new PreauError('PREAU_STORE_UNAVAILABLE', { detail: `no answer within ${patienceMs} ms` })
