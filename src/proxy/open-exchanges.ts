/** The exchanges in progress. When the policy changes or a grant ends, those it no longer allows are cut. */
import { mayCarry } from '../policy/content.ts'
import type { Target } from '../policy/host.ts'
import { decide } from '../policy/verdict.ts'
import type { Current } from '../policy/snapshot.ts'
import type { Exchange } from './exchange.ts'
import { Roster } from './roster.ts'

const GRANT_CHECK_MS = 1_000
/** How long a tunnel may outlive the opening hours of its profile. */
const HOURS_CHECK_MS = 60_000

export class OpenExchanges {
  readonly #all = new Roster<Exchange>()
  readonly #granted = new Set<Exchange>()
  readonly #current: Current
  readonly #clock: () => number
  readonly #timers: readonly NodeJS.Timeout[]
  readonly #stopFollowing: () => void
  #relayed = 0
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
    this.#stopFollowing = current.onSwap(() => this.#judgeAll())
    // Three timers for all tunnels: the quick one looks only at those that a grant holds open.
    this.#timers = [
      setInterval(() => this.#judgeGranted(), GRANT_CHECK_MS).unref(),
      setInterval(() => this.#judgeAll(), HOURS_CHECK_MS).unref(),
      setInterval(
        () => this.#endOld(timeoutMs, onTimeout),
        Math.min(HOURS_CHECK_MS, timeoutMs || HOURS_CHECK_MS),
      ).unref(),
    ]
  }

  /** How many are being relayed. */
  get size(): number {
    return this.#relayed
  }

  add(exchange: Exchange): void {
    this.#all.add(exchange)
  }

  /** From now on it ends when the policy no longer allows it. */
  relay(exchange: Exchange): void {
    exchange.isRelayed = true
    this.#relayed++
    if (exchange.verdict?.action === 'allow' && exchange.verdict.grant) this.#granted.add(exchange)
  }

  delete(exchange: Exchange): void {
    this.#all.delete(exchange)
    if (exchange.isRelayed) this.#relayed--
    if (this.#granted.size > 0) this.#granted.delete(exchange)
    if (this.#all.size === 0) this.#onEmpty()
  }

  #judgeAll(): void {
    const isAllowed = this.#judgement()
    this.#all.forEach(exchange => {
      if (exchange.isRelayed && !isAllowed(exchange)) exchange.cut()
    })
  }

  #judgeGranted(): void {
    const isAllowed = this.#judgement()
    for (const exchange of this.#granted) if (!isAllowed(exchange)) exchange.cut()
  }

  /** Whether what is relayed may go on, by the policy of this moment. */
  #judgement(): (exchange: Exchange) => boolean {
    const { snapshot } = this.#current
    const now = this.#clock()
    return ({ client: { ip }, target, hello, content }) => {
      // A PC may have changed school in the new policy: ask again who it is.
      const client = snapshot.networks(ip)
      const isAllowed = (to: Target | undefined): boolean =>
        to === undefined || decide(snapshot, client, to, now).action === 'allow'
      const isCarried =
        content === undefined ||
        (target !== undefined && mayCarry(content, snapshot, client, target, now))
      return isAllowed(target) && isAllowed(hello) && isCarried
    }
  }

  #endOld(timeoutMs: number, onTimeout: () => void): void {
    if (timeoutMs === 0) return
    const before = performance.now() - timeoutMs
    this.#all.forEach(exchange => {
      if (!exchange.isRelayed || exchange.openedAt > before) return
      onTimeout()
      exchange.cut()
    })
  }

  /** Stops following and cuts what is left; resolves when each has been closed, and so logged. */
  close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#stopFollowing()
    this.#all.forEach(exchange => exchange.cut())
    if (this.#all.size === 0) return Promise.resolve()
    return new Promise(resolve => (this.#onEmpty = resolve))
  }
}
