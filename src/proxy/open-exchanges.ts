/** The exchanges in progress. When the policy changes or a grant ends, those it no longer allows are cut. */
import type { Target } from '../policy/host.ts'
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

  /** `timeoutMs`: how long one may last in all, 0: no bound; `onTimeout`: one was cut for that. */
  constructor(
    current: Current,
    clock: () => number,
    timeoutMs = 0,
    onTimeout = (): void => undefined,
  ) {
    this.#current = current
    this.#clock = clock
    this.#stopFollowing = current.onSwap(() => this.#judge(this.#relayed))
    // Three timers for all tunnels: the quick one looks only at those that a grant holds open.
    this.#timers = [
      setInterval(() => this.#judge(this.#granted), GRANT_CHECK_MS).unref(),
      setInterval(() => this.#judge(this.#relayed), HOURS_CHECK_MS).unref(),
      setInterval(
        () => this.#endOld(timeoutMs, onTimeout),
        Math.min(HOURS_CHECK_MS, timeoutMs || HOURS_CHECK_MS),
      ).unref(),
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
      // A PC may have changed school in the new policy: ask again who it is.
      const client = snapshot.networks(exchange.client.ip)
      const isAllowed = (target: Target | undefined): boolean =>
        target === undefined || decide(snapshot, client, target, now).action === 'allow'
      if (!isAllowed(exchange.target) || !isAllowed(exchange.hello)) exchange.cut()
    }
  }

  #endOld(timeoutMs: number, onTimeout: () => void): void {
    if (timeoutMs === 0) return
    const before = this.#clock() - timeoutMs
    for (const exchange of this.#relayed) {
      if (exchange.startedAt > before) continue
      onTimeout()
      exchange.cut()
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
