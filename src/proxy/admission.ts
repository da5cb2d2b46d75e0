/** How much of the proxy one client may take: connections at once, exchanges a minute. */

export interface AdmissionLimits {
  /** 0: no bound, here and below. */
  readonly connectionsPerClient: number
  readonly exchangesPerMinute: number
}

const MINUTE_MS = 60_000
// Clients of IPv6 have addresses without number: beyond so many in a minute the count starts anew.
const MAX_CLIENTS = 100_000

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #clock: () => number
  readonly #connections = new Map<string, number>()
  readonly #exchanges = new Map<string, number>()
  #minute = 0

  constructor(limits: AdmissionLimits, clock: () => number) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Whether a client may have one connection more; if so it is counted until `leave`. */
  enter(ip: string): boolean {
    const open = this.#connections.get(ip) ?? 0
    const { connectionsPerClient } = this.#limits
    if (connectionsPerClient > 0 && open >= connectionsPerClient) return false
    this.#connections.set(ip, open + 1)
    return true
  }

  leave(ip: string): void {
    const open = this.#connections.get(ip) ?? 0
    if (open > 1) this.#connections.set(ip, open - 1)
    else this.#connections.delete(ip)
  }

  /** Whether a client may open one exchange more in this minute. */
  mayOpen(ip: string): boolean {
    const { exchangesPerMinute } = this.#limits
    if (exchangesPerMinute === 0) return true
    const minute = Math.floor(this.#clock() / MINUTE_MS)
    if (minute !== this.#minute || this.#exchanges.size >= MAX_CLIENTS) {
      this.#minute = minute
      this.#exchanges.clear()
    }
    const opened = (this.#exchanges.get(ip) ?? 0) + 1
    this.#exchanges.set(ip, opened)
    return opened <= exchangesPerMinute
  }
}
