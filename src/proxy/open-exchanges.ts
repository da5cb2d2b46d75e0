/** The exchanges in progress. When the policy changes or a grant ends, those it no longer allows are cut. */
import { decide } from '../policy/verdict.ts'
import type { Current } from '../policy/snapshot.ts'
import type { Exchange } from './exchange.ts'

const GRANT_CHECK_MS = 1_000

export class OpenExchanges {
  readonly #open = new Set<Exchange>()
  readonly #granted = new Set<Exchange>()
  readonly #current: Current
  readonly #clock: () => number
  readonly #timer: NodeJS.Timeout
  readonly #stopFollowing: () => void

  constructor(current: Current, clock: () => number) {
    this.#current = current
    this.#clock = clock
    this.#stopFollowing = current.onSwap(() => this.#judge(this.#open))
    // One timer for all tunnels, and it looks only at those that a grant holds open.
    this.#timer = setInterval(() => this.#judge(this.#granted), GRANT_CHECK_MS)
    this.#timer.unref()
  }

  get size(): number {
    return this.#open.size
  }

  /** Follows an exchange that is being relayed. */
  add(exchange: Exchange): void {
    this.#open.add(exchange)
    if (exchange.verdict?.action === 'allow' && exchange.verdict.grant) this.#granted.add(exchange)
  }

  delete(exchange: Exchange): void {
    this.#open.delete(exchange)
    this.#granted.delete(exchange)
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

  /** Cuts what is left and stops following. */
  close(): void {
    clearInterval(this.#timer)
    this.#stopFollowing()
    for (const exchange of this.#open) exchange.cut()
  }
}
