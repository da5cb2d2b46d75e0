/** Reads what is decided by from the store, and builds the snapshot of it; what stands open is kept from one to the next. */
import type { Logger } from 'pino'
import type { Config } from './config.ts'
import { PreauError } from './errors.ts'
import type { DecidingState } from './last-state/format.ts'
import {
  isIndexDamage,
  openCategories,
  tellDamage,
  type OpenedCategories,
} from './opened-categories.ts'
import { createAddressJudge, parseCidr } from './policy/address.ts'
import type { Catalogue } from './policy/category.ts'
import { CURRENT } from './policy/document.ts'
import { isInForce } from './policy/grant.ts'
import { buildSnapshot, withGrants, type Snapshot } from './policy/snapshot.ts'
import type { Store } from './store/store.ts'

export interface BuildOptions {
  readonly store: Store
  readonly config: Config
  readonly catalogue: Catalogue
  readonly clock: () => number
  readonly logger: Logger
}

/** A snapshot and what it was built from. */
export interface Built {
  readonly state: DecidingState
  readonly snapshot: Snapshot
}

const MAX_GRANTS = 100_000

/** Throws PREAU_STORE_EMPTY when the store has no policy or no lists, and what the store throws. */
export async function readState({
  store,
  clock,
}: Pick<BuildOptions, 'store' | 'clock'>): Promise<DecidingState> {
  const [policy, lists, active] = await Promise.all([
    store.get('policy', CURRENT),
    store.get('lists', CURRENT),
    store.list('grant', { facet: 'active', limit: MAX_GRANTS }),
  ])
  if (policy === undefined || lists === undefined)
    throw new PreauError('PREAU_STORE_EMPTY', { detail: policy === undefined ? 'policy' : 'lists' })
  const at = clock()
  const grants = active.map(({ body }) => body).filter(grant => isInForce(grant, at))
  return { at, policy, lists, grants }
}

/** Whether both decide the same; a version tells all of its record, as long as the store was never out of sight. */
export function isSame(before: DecidingState, after: DecidingState): boolean {
  return (
    before.policy.version === after.policy.version &&
    before.lists.version === after.lists.version &&
    before.grants.length === after.grants.length &&
    before.grants.every((grant, i) => grant.id === after.grants[i]?.id)
  )
}

export class SnapshotBuilder {
  readonly #options: BuildOptions
  #categories: OpenedCategories | undefined
  /** The one whose state stands in the store for all to see. */
  #told: OpenedCategories | undefined

  constructor(options: BuildOptions) {
    this.#options = options
  }

  /** `before`: what the store said last; undefined: nothing is taken over from it. Throws PREAU_INDEX_DAMAGED and the like. */
  async build(state: DecidingState, before: Built | undefined): Promise<Snapshot> {
    const isOnlyGrants =
      before?.state.lists.version === state.lists.version &&
      before.state.policy.version === state.policy.version
    if (isOnlyGrants) return withGrants(before.snapshot, state.grants)
    const { catalogue, config } = this.#options
    return buildSnapshot({
      policy: state.policy.body,
      grants: state.grants,
      catalogue,
      ...(await this.#openCategories(state)),
      addresses: createAddressJudge(config.dial.allow.flatMap(text => parseCidr(text) ?? [])),
    })
  }

  /** What stands open is kept while the lists and the expressions that are turned on stay the same. */
  async #openCategories({ lists, policy }: DecidingState): Promise<OpenedCategories['parts']> {
    const { expressions } = policy.body
    const { id, index } = lists.body
    const key = JSON.stringify([id, index, expressions])
    if (this.#categories?.key === key) return this.#categories.parts
    try {
      const options = { ...this.#options, lists: lists.body, expressions, key }
      this.#categories = await openCategories(options)
    } catch (error) {
      if (isIndexDamage(error)) void tellDamage({ ...this.#options, index, damage: error })
      throw error
    }
    return this.#categories.parts
  }

  /** Tells in the store how the index is: once, and again where that was not possible. Never rejects. */
  async tellIndex({ lists }: DecidingState): Promise<void> {
    const opened = this.#categories
    if (opened === undefined || this.#told === opened) return
    const { index } = lists.body
    if (await tellDamage({ ...this.#options, index, damage: opened.damage })) this.#told = opened
  }
}
