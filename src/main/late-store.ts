/**
 * A store that may not be there yet. A process that comes back while the store cannot be opened decides on its last state:
 * each call is then rejected at once, and the store is opened as soon as that is possible, which wakes who watches.
 */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { type ErrorCode, hasCode, PreauError } from '../errors.ts'
import { openStore } from '../store/open-store.ts'
import type { Store } from '../store/store.ts'

const FIRST_RETRY_MS = 100
const LONGEST_RETRY_MS = 1_000
/** What may pass by itself, or by what somebody does while Préau runs. */
const PASSING: readonly ErrorCode[] = [
  'PREAU_STORE_UNAVAILABLE',
  'PREAU_STORE_UNREADABLE',
  'PREAU_STORE_DAMAGED',
]

/** Opens the store of the configuration, now or later. Throws what no waiting will mend. */
export async function openStoreLate(config: Config, logger: Logger): Promise<Store> {
  const open = (): Promise<Store> => openStore(config)
  try {
    return await open()
  } catch (error) {
    if (!isPassing(error)) throw error
    logger.error({ err: error }, 'the store cannot be opened; it is tried again')
    return new LateStore(open, error)
  }
}

const isPassing = (error: unknown): error is PreauError => hasCode(error, ...PASSING)

export class LateStore implements Store {
  readonly #open: () => Promise<Store>
  readonly #watchers = new Map<() => void, () => void>()
  #store: Store | undefined
  #error: unknown
  #timer: NodeJS.Timeout | undefined
  #retryMs = FIRST_RETRY_MS
  #opening: Promise<void> | undefined
  #isClosed = false

  /** `error`: why it could not be opened the first time. */
  constructor(open: () => Promise<Store>, error: unknown) {
    this.#open = open
    this.#error = error
    this.#openSoon()
  }

  readonly get: Store['get'] = (kind, id) => this.#there(store => store.get(kind, id))
  readonly list: Store['list'] = (kind, query) => this.#there(store => store.list(kind, query))
  readonly count: Store['count'] = (kind, facet) => this.#there(store => store.count(kind, facet))
  readonly revision: Store['revision'] = kinds => this.#there(store => store.revision(kinds))
  readonly changes: Store['changes'] = since => this.#there(store => store.changes(since))
  readonly commit: Store['commit'] = (note, changes) =>
    this.#there(store => store.commit(note, changes))
  readonly confirmed: Store['confirmed'] = read => this.#there(store => store.confirmed(read))
  readonly tail: Store['tail'] = query => this.#there(store => store.tail(query))
  readonly forget: Store['forget'] = before => this.#there(store => store.forget(before))
  readonly permits: Store['permits'] = {
    take: (key, rule) => this.#there(store => store.permits.take(key, rule)),
    giveBack: key => this.#there(store => store.permits.giveBack(key)),
    clear: key => this.#there(store => store.permits.clear(key)),
  }

  get files(): NonNullable<Store['files']> | undefined {
    return this.#store?.files
  }

  async check(): ReturnType<Store['check']> {
    return this.#store?.check() ?? { isUp: false, detail: detailOf(this.#error), warnings: [] }
  }

  watch(onChange: () => void): () => void {
    // A wrapper, so that the same callback may watch twice.
    const own = (): void => onChange()
    this.#watchers.set(own, this.#store?.watch(own) ?? (() => undefined))
    return () => {
      this.#watchers.get(own)?.()
      this.#watchers.delete(own)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#opening
    await this.#store?.close()
  }

  #there<T>(ask: (store: Store) => Promise<T>): Promise<T> {
    if (this.#store !== undefined) return ask(this.#store)
    const detail = detailOf(this.#error)
    return Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail }))
  }

  #openSoon(): void {
    const open = (): void => void (this.#opening = this.#tryToOpen())
    this.#timer = setTimeout(open, this.#retryMs).unref()
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS)
  }

  async #tryToOpen(): Promise<void> {
    try {
      const store = await this.#open()
      this.#store = store
      if (this.#isClosed) return
      for (const watcher of this.#watchers.keys()) {
        this.#watchers.set(watcher, store.watch(watcher))
        watcher()
      }
    } catch (error) {
      this.#error = error
      if (!this.#isClosed) this.#openSoon()
    }
  }
}
