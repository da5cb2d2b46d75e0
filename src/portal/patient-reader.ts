/** Reads how a request stands for a page that must be shown anyway: a slow or broken store costs its state, not the page. */
import type { Refusal } from '../policy/refusal.ts'
import type { Store } from '../store/store.ts'
import { readLatest, type Latest } from './standing.ts'

const PATIENCE_MS = 500
/** A store that answers nothing at all would otherwise collect one waiting read per page. */
const MAX_READS = 100
/** A store that has just failed is not waited for by each page that comes. */
const PAUSE_MS = 1_000

/** Answers what is known within `PATIENCE_MS`, else undefined; never throws. */
export type PatientReader = (refusal: Refusal) => Promise<Latest | undefined>

export function createPatientReader(store: Store): PatientReader {
  let reads = 0
  let failedAt = -Infinity
  return async ({ client, target }) => {
    if (reads >= MAX_READS || performance.now() - failedAt < PAUSE_MS) return undefined
    reads += 1
    const read = readLatest(store, client, target.host)
      .catch((): undefined => {
        failedAt = performance.now()
        return undefined
      })
      .finally(() => (reads -= 1))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<undefined>(resolve => {
      timer = setTimeout(resolve, PATIENCE_MS, undefined)
    })
    return Promise.race([read, late]).finally(() => clearTimeout(timer))
  }
}
