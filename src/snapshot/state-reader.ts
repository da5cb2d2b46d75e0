/**
 * Reads what is decided by from the store: all of it once, and from then on what has changed. Where the store cannot tell
 * that for certain all is read again, so that nothing is ever missed.
 */
import { PreauError } from '../errors.ts'
import type { DecidingState } from '../last-state/format.ts'
import { CURRENT, FOLLOWED } from '../policy/document.ts'
import { isKept, type Grant } from '../policy/grant.ts'
import type { Changes, Store, Stored } from '../store/store.ts'

const MAX_GRANTS = 100_000

/** As the store has it. */
interface Held {
  readonly revision: string
  readonly policy: Stored<'policy'> | undefined
  readonly lists: Stored<'lists'> | undefined
  /** Those that nobody has ended, the greatest id first: also those past their time, since a clock may be set back. */
  readonly grants: readonly Stored<'grant'>[]
}

export interface ReadState {
  readonly state: DecidingState
  /** It was not told what has changed: the same version of a record may have other contents than before. */
  readonly isAllRead: boolean
}

export class StateReader {
  readonly #store: Store
  readonly #clock: () => number
  #held: Held | undefined

  constructor(store: Store, clock: () => number) {
    this.#store = store
    this.#clock = clock
  }

  /** The next time all is read. */
  forget(): void {
    this.#held = undefined
  }

  /** Throws PREAU_STORE_EMPTY when the store has no policy or no lists, and what the store throws. */
  async read(): Promise<ReadState> {
    const held = this.#held
    const changes = held && (await this.#store.changes(held.revision))
    const isAllRead = held === undefined || changes === undefined
    this.#held = isAllRead ? await this.#readAll() : withChanges(held, changes)
    return { state: stateOf(this.#held, this.#clock()), isAllRead }
  }

  async #readAll(): Promise<Held> {
    const store = this.#store
    // Asked first: what changes while the rest is read is told as a change.
    const revision = await store.revision(FOLLOWED)
    const [policy, lists, grants] = await Promise.all([
      store.get('policy', CURRENT),
      store.get('lists', CURRENT),
      store.list('grant', { facet: 'active', limit: MAX_GRANTS }),
    ])
    return { revision, policy, lists, grants }
  }
}

function withChanges(held: Held, { revision, changed }: Changes): Held {
  let { policy, lists } = held
  const grants = new Map<string, Stored<'grant'> | undefined>()
  for (const change of changed) {
    if (change.kind === 'grant') grants.set(change.id, change.now)
    else if (change.id !== CURRENT) continue
    // What has not changed stays the same object, for those who keep something made of it.
    else if (change.kind === 'policy') policy = newer(policy, change.now)
    else lists = newer(lists, change.now)
  }
  return {
    revision,
    policy,
    lists,
    grants: grants.size > 0 ? merged(held.grants, grants) : held.grants,
  }
}

const newer = <T extends { readonly version: number }>(
  before: T | undefined,
  now: T | undefined,
): T | undefined => (before?.version === now?.version ? before : now)

function merged(
  before: Held['grants'],
  changed: ReadonlyMap<string, Stored<'grant'> | undefined>,
): Held['grants'] {
  const active = [...changed.values()].filter(
    grant => grant !== undefined && grant.body.endedAt === undefined,
  ) as Stored<'grant'>[]
  const kept = before.filter(({ id }) => !changed.has(id))
  return [...kept, ...active].sort((a, b) => (a.id < b.id ? 1 : -1))
}

function stateOf({ policy, lists, grants }: Held, at: number): DecidingState {
  if (policy === undefined || lists === undefined)
    throw new PreauError('PREAU_STORE_EMPTY', { detail: policy === undefined ? 'policy' : 'lists' })
  // Whether one is in force is judged at each verdict, by the clock as it then is.
  const inForce = grants.map(({ body }): Grant => body).filter(grant => isKept(grant, at))
  return { at, policy, lists, grants: inForce }
}
