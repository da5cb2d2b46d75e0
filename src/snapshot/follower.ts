/**
 * Keeps the snapshot in force equal to the store: reads again after each change, builds a new one, swaps it in. Where the
 * store does not answer the last good state goes on deciding, from the memory or from the data folder, until it does.
 */
import { setTimeout as elapsed } from 'node:timers/promises'
import { type ErrorCode, hasCode, PreauError } from '../errors.ts'
import { LastStateKeeper } from '../last-state/keep.ts'
import { lastStateFile, readLastState } from '../last-state/read.ts'
import { isIndexDamage, type OpenedLists } from './open.ts'
import type { Current, Snapshot } from '../policy/snapshot.ts'
import { isSame, SnapshotBuilder, type BuildOptions, type Built } from './builder.ts'
import { StateReader } from './state-reader.ts'

export type FollowOptions = BuildOptions

/** The state that decides while the store cannot be read. */
export interface LastState {
  /** When the store told it: epoch ms. */
  readonly at: number
  /** Why it is not a newer one. */
  readonly code: ErrorCode
}

export interface FollowedSnapshot extends Current {
  /** The lists that `snapshot` was opened with. */
  readonly lists: OpenedLists
  /** undefined: the store was read when it was asked last, and what it says is in force. */
  readonly lastState: LastState | undefined
  /** Resolves when the last state is kept and nothing asks the store any more. */
  close(): Promise<void>
}

/** How long a start waits for the store before it begins on the last state; the answer is taken when it comes. */
const START_PATIENCE_MS = 1_000
const FIRST_RETRY_MS = 100
/** While the store does not answer: everything converges within a few seconds of its return. */
const STORE_RETRY_MS = 1_000
/** While an index or a policy cannot be used. */
const OTHER_RETRY_MS = 5_000

/**
 * Reads the store and follows it. A store that does not answer, or has lost its policy, is replaced by the last state of the
 * data folder until it answers. Throws when there is none, or no category index: a filter never starts blind.
 */
export async function followSnapshot(options: FollowOptions): Promise<FollowedSnapshot> {
  const follower = new SnapshotFollower(options)
  await follower.start()
  return follower
}

/** How the first refresh ended. */
type Outcome = { readonly error: unknown } | undefined

class SnapshotFollower implements FollowedSnapshot {
  readonly #options: FollowOptions
  readonly #reader: StateReader
  readonly #builder: SnapshotBuilder
  readonly #keeper: LastStateKeeper
  readonly #listeners = new Set<() => void>()
  #built: Built | undefined
  #lastState: LastState | undefined
  #isRefreshing = false
  #isStale = false
  #isClosed = false
  #retry: NodeJS.Timeout | undefined
  #retryMs = FIRST_RETRY_MS
  #telling: Promise<void> | undefined
  #unwatch = (): void => undefined

  constructor(options: FollowOptions) {
    const { store, config, clock, logger } = options
    this.#options = options
    this.#reader = new StateReader(store, clock)
    this.#builder = new SnapshotBuilder(options)
    this.#keeper = new LastStateKeeper({ file: lastStateFile(config), logger })
  }

  get snapshot(): Snapshot {
    return this.#inForce.snapshot
  }

  get lists(): OpenedLists {
    return this.#inForce.lists
  }

  get #inForce(): Built {
    if (this.#built === undefined) throw new TypeError('not started')
    return this.#built
  }

  get lastState(): LastState | undefined {
    return this.#lastState
  }

  onSwap(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async start(): Promise<void> {
    this.#unwatch = this.#options.store.watch(() => this.#refreshSoon())
    // Until the first answer nothing else refreshes: an older one cannot replace a newer.
    this.#isRefreshing = true
    const first = this.#refresh().then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    try {
      await this.#begin(first)
    } catch (error) {
      await this.close()
      throw error
    }
    void first.then(outcome => this.#goOn(outcome))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#unwatch()
    clearTimeout(this.#retry)
    this.#listeners.clear()
    await Promise.all([this.#keeper.close(), this.#telling])
  }

  /** Resolves once something is in force: what the store says, or else the last state. */
  async #begin(first: Promise<Outcome>): Promise<void> {
    const late = Symbol('late')
    const soon = await Promise.race([first, elapsed(START_PATIENCE_MS, late, { ref: false })])
    if (soon === undefined) return
    const mayGoOn = soon === late || isLoss(soon.error) || isIndexDamage(soon.error)
    if (!mayGoOn) throw soon.error
    if (await this.#takeLastState(soon === late ? undefined : soon.error)) return
    const outcome = soon === late ? await first : soon
    if (outcome !== undefined) throw outcome.error
  }

  /** False where there is none that can be used. */
  async #takeLastState(error: unknown): Promise<boolean> {
    const { config, catalogue, clock, logger } = this.#options
    const { state, ignored } = await readLastState(config, catalogue, clock())
    if (ignored !== undefined) logger.error({ ignored }, 'the last state cannot be used')
    if (state === undefined) return false
    try {
      const built = await this.#builder.build(state, undefined)
      // The store may have answered meanwhile.
      if (this.#built !== undefined) return true
      this.#built = built
      this.#noteLoss(error)
      return true
    } catch (cause) {
      logger.error({ err: cause }, 'the last state cannot be used')
      return false
    }
  }

  /** One refresh at a time; a change that comes meanwhile is read by one more. */
  #refreshSoon(): void {
    this.#isStale = true
    if (!this.#isRefreshing) void this.#goOn(undefined)
  }

  async #goOn(first: Outcome): Promise<void> {
    this.#isRefreshing = true
    if (first !== undefined) this.#failed(first.error)
    else if (!this.#isStale) this.#succeeded()
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false
      try {
        await this.#refresh()
        this.#succeeded()
      } catch (error) {
        this.#failed(error)
      }
    }
    this.#isRefreshing = false
  }

  async #refresh(): Promise<void> {
    if (this.#lastState !== undefined) this.#reader.forget()
    const { state, isAllRead } = await this.#reader.read()
    // After a loss a version may have come twice, with other contents: a backup was put back.
    const before = isAllRead ? undefined : this.#built
    const isChanged = before === undefined || this.#builder.isBehind || !isSame(before.state, state)
    this.#built = isChanged
      ? await this.#builder.build(state, before)
      : { ...before, state: { ...before.state, at: state.at } }
    this.#keeper.keep(this.#built.state, isChanged)
    if (isChanged) for (const listener of this.#listeners) listener()
  }

  #succeeded(): void {
    clearTimeout(this.#retry)
    if (this.#builder.isBehind) this.#retryLater(OTHER_RETRY_MS)
    else this.#retryMs = FIRST_RETRY_MS
    if (this.#lastState !== undefined) {
      this.#lastState = undefined
      this.#options.logger.warn('the store was read again: its policy is in force')
    }
    if (this.#built !== undefined) this.#telling = this.#builder.tellIndex(this.#built.state)
  }

  /** The last good snapshot goes on deciding; the store or an index is tried again by and by, and at each change. */
  #failed(error: unknown): void {
    if (this.#isClosed) return
    this.#noteLoss(error)
    this.#retryLater(isLoss(error) ? STORE_RETRY_MS : OTHER_RETRY_MS)
  }

  #retryLater(longestMs: number): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#refreshSoon(), this.#retryMs).unref()
    this.#retryMs = Math.min(this.#retryMs * 2, longestMs)
  }

  /** Tells the log, once and not at each try. `error` is undefined where the store has not answered yet. */
  #noteLoss(error: unknown): void {
    const code = codeOf(error)
    const at = this.#lastState?.at ?? this.#built?.state.at ?? 0
    if (this.#lastState?.code !== code) {
      const of = new Date(at).toISOString()
      const text = `the policy could not be refreshed; the last one stays in force, of ${of}`
      this.#options.logger.error({ err: error, of }, text)
    }
    this.#lastState = { at, code }
  }
}

function codeOf(error: unknown): ErrorCode {
  if (error === undefined) return 'PREAU_STORE_UNAVAILABLE'
  return error instanceof PreauError ? error.code : 'PREAU_INTERNAL'
}

/** The store says nothing, or nothing of what a city had: that is no reason to decide otherwise. */
const isLoss = (error: unknown): boolean =>
  hasCode(error, 'PREAU_STORE_UNAVAILABLE', 'PREAU_STORE_EMPTY')
