/** An outage of the store, for tests of what people see meanwhile. */
import { PreauError } from '../../src/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { over } from './broken-store.ts'

export const unavailable = (): Promise<never> =>
  Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'down' }))
export const never = (): Promise<never> => new Promise(() => undefined)

/** A store that somebody may take away and bring back. */
export class Outage {
  isDown = false
  readonly #how: () => Promise<never>

  constructor(how = unavailable) {
    this.#how = how
  }

  readonly wrap = (store: Store): Store => {
    const orDown = <T>(ask: () => Promise<T>): Promise<T> => (this.isDown ? this.#how() : ask())
    return over(store, {
      get: (kind, id) => orDown(() => store.get(kind, id)),
      list: (kind, query) => orDown(() => store.list(kind, query)),
      changes: since => orDown(() => store.changes(since)),
      count: (kind, facet) => orDown(() => store.count(kind, facet)),
      commit: (note, changes) => orDown(() => store.commit(note, changes)),
      permits: {
        take: (key, rule) => orDown(() => store.permits.take(key, rule)),
        giveBack: key => orDown(() => store.permits.giveBack(key)),
        clear: key => orDown(() => store.permits.clear(key)),
      },
    })
  }
}
