/** Builds the snapshots of a process that follows the store; what stands open is kept from one to the next. */
import { stat } from 'node:fs/promises'
import type { Logger } from 'pino'
import { indexFile } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import type { PreauError } from '../errors.ts'
import type { DecidingState } from '../last-state/format.ts'
import type { Catalogue } from '../policy/category.ts'
import { withGrants } from '../policy/snapshot.ts'
import type { Store } from '../store/store.ts'
import { tellDamage } from './index-alarm.ts'
import {
  isIndexDamage,
  openLists,
  openSnapshot,
  type OpenedLists,
  type OpenedSnapshot,
} from './open.ts'

export interface BuildOptions {
  readonly store: Store
  readonly config: Config
  readonly catalogue: Catalogue
  readonly clock: () => number
  readonly logger: Logger
}

/** A snapshot and what it was built from. */
export interface Built extends OpenedSnapshot {
  readonly state: DecidingState
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
  #open: Open | undefined
  #behind: Behind | undefined
  /** What stands in the store for all to see about the index. */
  #told: Open | Behind | undefined

  constructor(options: BuildOptions) {
    this.#options = options
  }

  /** Whether the lists that decide are older than those of the state built last: their file is damaged or still to come. */
  get isBehind(): boolean {
    return this.#behind !== undefined
  }

  /**
   * `before`: what the store said last; undefined: nothing is taken over from it. Grants and policy never wait for an index:
   * where it cannot be used the one that stands open goes on. Throws PREAU_INDEX_DAMAGED where none does, and the like.
   */
  async build(state: DecidingState, before: Built | undefined): Promise<Built> {
    const isOnlyGrants =
      before?.state.lists.version === state.lists.version &&
      before.state.policy.version === state.policy.version
    if (isOnlyGrants && !this.isBehind)
      return { ...before, state, snapshot: withGrants(before.snapshot, state.grants) }
    const { policy, lists, grants } = state
    const decided = { policy: policy.body, lists: lists.body, grants }
    return { state, ...(await openSnapshot(this.#options, decided, await this.#openLists(state))) }
  }

  /** What stands open is kept while the lists and the expressions that are turned on stay the same. */
  async #openLists({ lists, policy }: DecidingState): Promise<OpenedLists> {
    const { logger } = this.#options
    const { expressions } = policy.body
    const { id, index } = lists.body
    const key = JSON.stringify([id, index, expressions])
    const seen = await seenOf(indexFile(this.#options.config.dataDir, { index }))
    const isTried = this.#behind?.key === key && this.#behind.seen === seen
    const isOpen = this.#open?.key === key && this.#behind === undefined
    if (this.#open !== undefined && (isOpen || isTried)) return this.#open.lists
    const isToCome = this.#isToCome(seen)
    try {
      const opened = await openLists(this.#options, lists.body, expressions)
      const { damage } = opened
      if (damage !== undefined && !isToCome)
        logger.error({ err: damage }, 'the index in force is damaged; the one before is used')
      this.#open = { key, lists: opened }
      this.#behind = damage && { key, seen, damage }
      return opened
    } catch (error) {
      if (!isIndexDamage(error)) throw error
      this.#behind = { key, seen, damage: error }
      const text = 'the index in force cannot be used; the last one stays in force'
      if (!isToCome) logger.error({ err: error }, text)
      if (this.#open !== undefined) return this.#open.lists
      void this.tellIndex({ lists })
      throw error
    }
  }

  /** Where machines share the store a file may be on its way, and who brings it tells when it is late. */
  #isToCome(seen: string | undefined): boolean {
    return seen === ABSENT && this.#options.store.files !== undefined
  }

  /** Tells in the store how the index is: once, and again where that was not possible. Never rejects. */
  async tellIndex({ lists }: Pick<DecidingState, 'lists'>): Promise<void> {
    const what = this.#behind ?? this.#open
    if (what === undefined || this.#told === what) return
    const { index } = lists.body
    if (this.#isToCome(this.#behind?.seen)) return
    const damage = this.#behind?.damage
    if (await tellDamage({ ...this.#options, index, damage })) this.#told = what
  }
}

interface Open {
  /** Names what was opened. */
  readonly key: string
  readonly lists: OpenedLists
}

/** An index that could not be used, and what its file looked like: until that changes it is not read again. */
interface Behind {
  readonly key: string
  readonly seen: string
  readonly damage: PreauError
}

const ABSENT = 'absent'

const seenOf = (file: string): Promise<string> =>
  stat(file).then(
    ({ size, mtimeMs, ino }) => [size, mtimeMs, ino].join(),
    () => ABSENT,
  )
