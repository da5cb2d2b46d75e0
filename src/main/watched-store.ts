/**
 * A store looked at from beside: how long its calls take, how many fail, and how it is, asked now and then; what is weaker
 * than promised is logged when it is first seen.
 */
import type { Logger } from 'pino'
import { hasCode } from '../errors.ts'
import type { Sample } from '../metrics.ts'
import type { Store, StoreHealth, StoreWarning } from '../store/store.ts'
import { warningText } from '../store/wording.ts'
import { Histogram } from './histogram.ts'

const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
/** How often it is asked how it is. */
const PERIOD_MS = 5_000
const CALLS = ['read', 'commit', 'permit'] as const
type Call = (typeof CALLS)[number]

export class WatchedStore {
  /** The same store. */
  readonly store: Store
  readonly #times = new Map(CALLS.map(call => [call, timesOf(call)] as const))
  readonly #failures = new Map(CALLS.map((call): [Call, number] => [call, 0]))
  readonly #timer: NodeJS.Timeout
  readonly #logger: Logger
  #health: StoreHealth | undefined
  #warned: ReadonlySet<string> = new Set()
  #lostActs = 0

  constructor(store: Store, logger: Logger, periodMs = PERIOD_MS) {
    this.store = this.#watched(store)
    this.#logger = logger
    const look = async (): Promise<void> => {
      this.#health = await store.check()
      // One that does not answer says nothing of its settings.
      if (this.#health.isUp) this.#tell(this.#health.warnings)
    }
    void look()
    this.#timer = setInterval(() => void look(), periodMs).unref()
  }

  /** As it was a moment ago; undefined: it has not said yet. */
  get health(): StoreHealth | undefined {
    return this.#health
  }

  samples(): Sample[] {
    return [
      ...[...this.#times.values()].flatMap(times => times.samples()),
      ...[...this.#failures].map(([call, value]): Sample => ({
        name: 'preau_store_failures_total',
        labels: { call },
        value,
      })),
      ...(this.#health === undefined
        ? []
        : [{ name: 'preau_store_up', value: this.#health.isUp ? 1 : 0 } as const]),
      { name: 'preau_store_lost_acts', value: this.#lostActs },
    ]
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #tell(warnings: readonly StoreWarning[]): void {
    const texts = warnings.map(warning => warningText(warning, 'en'))
    for (const [i, { code, params = {} }] of warnings.entries()) {
      if (code === 'acts-lost') this.#lostActs = Number(params['count'])
      const text = texts[i] ?? code
      if (this.#warned.has(text)) continue
      this.#logger[code === 'acts-lost' ? 'error' : 'warn']({ code, ...params }, text)
    }
    this.#warned = new Set(texts)
  }

  #watched(store: Store): Store {
    const { permits } = store
    return {
      get: (kind, id) => this.#time('read', () => store.get(kind, id)),
      list: (kind, query) => this.#time('read', () => store.list(kind, query)),
      count: (kind, facet) => this.#time('read', () => store.count(kind, facet)),
      revision: kinds => this.#time('read', () => store.revision(kinds)),
      changes: since => this.#time('read', () => store.changes(since)),
      tail: query => this.#time('read', () => store.tail(query)),
      commit: (note, changes) => this.#time('commit', () => store.commit(note, changes)),
      forget: before => this.#time('commit', () => store.forget(before)),
      permits: {
        take: (key, rule) => this.#time('permit', () => permits.take(key, rule)),
        giveBack: key => this.#time('permit', () => permits.giveBack(key)),
        clear: key => this.#time('permit', () => permits.clear(key)),
      },
      confirmed: read => store.confirmed(read),
      watch: onChange => store.watch(onChange),
      check: () => store.check(),
      get files() {
        return store.files
      },
      close: () => store.close(),
    }
  }

  async #time<T>(call: Call, ask: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    try {
      return await ask()
    } catch (error) {
      // A conflict is an answer.
      if (!hasCode(error, 'PREAU_CONFLICT'))
        this.#failures.set(call, (this.#failures.get(call) ?? 0) + 1)
      throw error
    } finally {
      this.#times.get(call)?.add((performance.now() - startedAt) / 1_000)
    }
  }
}

const timesOf = (call: Call): Histogram =>
  new Histogram({ name: 'preau_store_seconds', labels: { call }, bounds: BOUNDS })
