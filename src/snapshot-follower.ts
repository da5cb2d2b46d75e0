/** Keeps the snapshot in force equal to the store: reads again after each change, builds a new one, swaps it in. */
import type { Logger } from 'pino'
import { openCategories, type OpenedCategories } from './opened-categories.ts'
import type { Config } from './config.ts'
import { PreauError } from './errors.ts'
import { createAddressJudge, parseCidr } from './policy/address.ts'
import type { Catalogue } from './policy/category.ts'
import { CURRENT } from './policy/document.ts'
import { isKept, type Grant } from './policy/grant.ts'
import { buildSnapshot, withGrants, type Current, type Snapshot } from './policy/snapshot.ts'
import type { Store, Stored } from './store/store.ts'

export interface FollowOptions {
  readonly store: Store
  readonly config: Config
  readonly catalogue: Catalogue
  readonly clock: () => number
  readonly logger: Logger
}

export interface FollowedSnapshot extends Current {
  close(): void
}

/** What a snapshot was built from. */
interface Sources {
  readonly policy: Stored<'policy'>
  readonly lists: Stored<'lists'>
  readonly grants: readonly Grant[]
}

const MAX_GRANTS = 100_000

/** Reads the store and follows it. Throws when there is no policy or no category index yet: a filter never starts blind. */
export async function followSnapshot(options: FollowOptions): Promise<FollowedSnapshot> {
  const follower = new SnapshotFollower(options)
  await follower.start()
  return follower
}

class SnapshotFollower implements FollowedSnapshot {
  readonly #options: FollowOptions
  readonly #listeners = new Set<() => void>()
  #sources: Sources | undefined
  #snapshot: Snapshot | undefined
  #categories: OpenedCategories | undefined
  #isRefreshing = false
  #isStale = false
  #unwatch = (): void => undefined

  constructor(options: FollowOptions) {
    this.#options = options
  }

  get snapshot(): Snapshot {
    if (this.#snapshot === undefined) throw new TypeError('not started')
    return this.#snapshot
  }

  onSwap(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async start(): Promise<void> {
    this.#unwatch = this.#options.store.watch(() => void this.#refreshSoon())
    try {
      await this.#refresh()
    } catch (error) {
      this.close()
      throw error
    }
  }

  close(): void {
    this.#unwatch()
    this.#listeners.clear()
  }

  /** One refresh at a time; a change that comes meanwhile is read by one more. */
  async #refreshSoon(): Promise<void> {
    this.#isStale = true
    if (this.#isRefreshing) return
    this.#isRefreshing = true
    while (this.#isStale) {
      this.#isStale = false
      try {
        await this.#refresh()
      } catch (error) {
        // The last good snapshot goes on deciding: the store or an index may be back at the next change.
        this.#options.logger.error(
          { err: error },
          'the policy could not be refreshed; the last one stays in force',
        )
      }
    }
    this.#isRefreshing = false
  }

  async #refresh(): Promise<void> {
    const sources = await this.#read()
    const before = this.#sources
    if (before !== undefined && isSame(before, sources)) return
    this.#snapshot = await this.#build(sources, before)
    this.#sources = sources
    for (const listener of this.#listeners) listener()
  }

  async #read(): Promise<Sources> {
    const { store, clock } = this.#options
    const [policy, lists, active] = await Promise.all([
      store.get('policy', CURRENT),
      store.get('lists', CURRENT),
      store.list('grant', { facet: 'active', limit: MAX_GRANTS }),
    ])
    if (policy === undefined || lists === undefined) throw new PreauError('PREAU_NOT_FOUND')
    const now = clock()
    return {
      policy,
      lists,
      // Whether one is in force is judged at each verdict, by the clock as it then is.
      grants: active.map(({ body }) => body).filter(grant => isKept(grant, now)),
    }
  }

  async #build(sources: Sources, before: Sources | undefined): Promise<Snapshot> {
    const isListsSame = before?.lists.version === sources.lists.version
    if (
      this.#snapshot !== undefined &&
      isListsSame &&
      before?.policy.version === sources.policy.version
    ) {
      return withGrants(this.#snapshot, sources.grants)
    }
    const { catalogue, config } = this.#options
    return buildSnapshot({
      policy: sources.policy.body,
      grants: sources.grants,
      catalogue,
      ...(await this.#openCategories(sources)),
      addresses: createAddressJudge(config.dial.allow.flatMap(text => parseCidr(text) ?? [])),
    })
  }

  /** What stands open is kept while the lists and the expressions that are turned on stay the same. */
  async #openCategories({ lists, policy }: Sources): Promise<OpenedCategories['parts']> {
    const { expressions } = policy.body
    const key = JSON.stringify([lists.body.id, lists.body.index, expressions])
    if (this.#categories?.key !== key) {
      this.#categories = await openCategories({
        ...this.#options,
        lists: lists.body,
        expressions,
        key,
      })
    }
    return this.#categories.parts
  }
}

function isSame(before: Sources, after: Sources): boolean {
  return (
    before.policy.version === after.policy.version &&
    before.lists.version === after.lists.version &&
    before.grants.length === after.grants.length &&
    before.grants.every((grant, i) => grant.id === after.grants[i]?.id)
  )
}
