/** The health of a store as one answer, given in time whatever the engine does. */
import { detailOf } from '../error-detail.ts'
import type { StoreHealth, StoreWarning } from './store.ts'

const ANSWER_MS = 900

/** `asked` resolves to the warnings, or rejects where the store is down. Never rejects; answers within a second. */
export async function answerHealth(asked: Promise<readonly StoreWarning[]>): Promise<StoreHealth> {
  const late = Promise.withResolvers<StoreHealth>()
  const detail = `no answer within ${ANSWER_MS} ms`
  const timer = setTimeout(() => late.resolve({ isUp: false, detail, warnings: [] }), ANSWER_MS)
  const answer = asked.then(
    (warnings): StoreHealth => ({ isUp: true, warnings }),
    (error: unknown): StoreHealth => ({ isUp: false, detail: detailOf(error), warnings: [] }),
  )
  try {
    return await Promise.race([answer, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
