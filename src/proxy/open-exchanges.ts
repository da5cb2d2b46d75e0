/** The exchanges in progress. When the policy changes or a grant ends, those it no longer allows are cut. */
import { decide } from '../policy/verdict.ts'
import type { Current } from '../policy/snapshot.ts'
import type { Exchange } from './exchange.ts'

const GRANT_CHECK_MS = 1_000
/** How long a tunnel may outlive the opening hours of its profile. */
const HOURS_CHECK_MS = 60_000

export class OpenExchanges {
  readonly #all = new Set<Exchange>()
  readonly #relayed = new Set<Exchange>()
  readonly #granted = new Set<Exchange>()
  readonly #current: Current
  readonly #clock: () => number
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #stopFollowing: () => void
  #onEmpty = (): void => undefined

  constructor(current: Current, clock: () => number) {
    this.#current = current
    this.#clock = clock
    this.#stopFollowing = current.onSwap(() => this.#judge(this.#relayed))
    // Two timers for all tunnels: the quick one looks only at those that a grant holds open.
    this.#timers = [
      setInterval(() => this.#judge(this.#granted), GRANT_CHECK_MS).unref(),
      setInterval(() => this.#judge(this.#relayed), HOURS_CHECK_MS).unref(),
    ]
  }

  /** How many are being relayed. */
  get size(): number {
    return this.#relayed.size
  }

  add(exchange: Exchange): void {
    this.#all.add(exchange)
  }

  /** From now on it ends when the policy no longer allows it. */
  relay(exchange: Exchange): void {
    this.#relayed.add(exchange)
    if (exchange.verdict?.action === 'allow' && exchange.verdict.grant) this.#granted.add(exchange)
  }

  delete(exchange: Exchange): void {
    this.#all.delete(exchange)
    this.#relayed.delete(exchange)
    this.#granted.delete(exchange)
    if (this.#all.size === 0) this.#onEmpty()
  }

  #judge(exchanges: ReadonlySet<Exchange>): void {
    const { snapshot } = this.#current
    const now = this.#clock()
    for (const exchange of exchanges) {
      const { target, client } = exchange
      if (target === undefined) continue
      // A PC may have changed school in the new policy: ask again who it is.
      const verdict = decide(snapshot, snapshot.networks(client.ip), target, now)
      if (verdict.action !== 'allow') exchange.cut()
    }
  }

  /** Stops following and cuts what is left; resolves when each has been closed, and so logged. */
  close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#stopFollowing()
    for (const exchange of this.#all) exchange.cut()
    if (this.#all.size === 0) return Promise.resolve()
    return new Promise(resolve => (this.#onEmpty = resolve))
  }
}
