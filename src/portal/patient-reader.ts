/** Reads how a request stands for a page that must be shown anyway: a slow or broken store costs its state, not the page. */
import type { Refusal } from '../policy/refusal.ts'
import type { Store } from '../store/store.ts'
import { readLatest, type Latest } from './standing.ts'

const PATIENCE_MS = 500
/** A store that answers nothing at all would otherwise collect one waiting read per page. */
const MAX_READS = 100

/** Answers what is known within `PATIENCE_MS`, else nothing; never throws. */
export type PatientReader = (refusal: Refusal) => Promise<Latest>

export function createPatientReader(store: Store): PatientReader {
  let reads = 0
  return async ({ client, target }) => {
    if (reads >= MAX_READS) return {}
    reads += 1
    const read = readLatest(store, client.site, target.host)
      .catch((): Latest => ({}))
      .finally(() => (reads -= 1))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<Latest>(resolve => {
      timer = setTimeout(resolve, PATIENCE_MS, {})
    })
    return Promise.race([read, late]).finally(() => clearTimeout(timer))
  }
}
