/**
 * Reads what is decided by from the store. A grant is written once and then only ended, which takes its name from those that
 * are active: those known already are not read again, or each click of a big city would move thousands to each process.
 */
import { PreauError } from './errors.ts'
import type { DecidingState } from './last-state/format.ts'
import { CURRENT } from './policy/document.ts'
import { isKept, type Grant, type GrantId } from './policy/grant.ts'
import type { Store } from './store/store.ts'

const MAX_GRANTS = 100_000
/** Read one by one; of more than that all are read at once. */
const FEW = 50
const ACTIVE = { facet: 'active', limit: MAX_GRANTS } as const

export interface StateSource {
  readonly store: Store
  /** Epoch ms. */
  readonly clock: () => number
}

export class StateReader {
  readonly #source: StateSource
  /** All that are active in the store, those past their time among them until they are filed as ended. */
  #grants: ReadonlyMap<GrantId, Grant> = new Map()

  constructor(source: StateSource) {
    this.#source = source
  }

  /**
   * `isInSight`: the store was never away since it was read last. Throws PREAU_STORE_EMPTY when the store has no policy or no
   * lists, and what the store throws.
   */
  async read(isInSight: boolean): Promise<DecidingState> {
    const { store, clock } = this.#source
    const [policy, lists, active] = await Promise.all([
      store.get('policy', CURRENT),
      store.get('lists', CURRENT),
      isInSight ? this.#readNew() : this.#readAll(),
    ])
    if (policy === undefined || lists === undefined)
      throw new PreauError('PREAU_STORE_EMPTY', {
        detail: policy === undefined ? 'policy' : 'lists',
      })
    this.#grants = active
    const at = clock()
    // Whether one is in force is judged at each verdict, by the clock as it then is.
    return { at, policy, lists, grants: [...active.values()].filter(grant => isKept(grant, at)) }
  }

  async #readAll(): Promise<ReadonlyMap<GrantId, Grant>> {
    const rows = await this.#source.store.list('grant', ACTIVE)
    return new Map(rows.map(({ id, body }) => [id, body]))
  }

  async #readNew(): Promise<ReadonlyMap<GrantId, Grant>> {
    const { store } = this.#source
    const ids = await store.ids('grant', ACTIVE)
    const fresh = ids.filter(id => !this.#grants.has(id))
    if (fresh.length > FEW) return this.#readAll()
    const rows = await Promise.all(fresh.map(id => store.get('grant', id)))
    const found = new Map(rows.flatMap(row => (row === undefined ? [] : [[row.id, row.body]])))
    return new Map(
      ids.flatMap((id): [GrantId, Grant][] => {
        const grant = this.#grants.get(id) ?? found.get(id)
        return grant === undefined ? [] : [[id, grant]]
      }),
    )
  }
}
