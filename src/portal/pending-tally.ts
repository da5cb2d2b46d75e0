/** How many requests are pending per PC and per school. Counted again at most once a second: a flood costs no listing each. */
import type { Limits } from '../config.ts'
import type { Client } from '../policy/network.ts'
import type { Store } from '../store/store.ts'

const FRESH_MS = 1_000
/** More than any city leaves pending; a bound of what one count reads. */
const MAX_LISTED = 10_000

type Bounds = Pick<Limits, 'pendingPerPc' | 'pendingPerSite'>
type Tally = Map<string, number>

export class PendingTally {
  readonly #store: Store
  readonly #limits: Bounds
  #counting: Promise<void> | undefined
  #countedAt = Number.NEGATIVE_INFINITY
  #perPc: Tally = new Map()
  #perSite: Tally = new Map()

  constructor(store: Store, limits: Bounds) {
    this.#store = store
    this.#limits = limits
  }

  /**
   * The limit that keeps this client from opening one request more. Where there is none its place is taken at once, so
   * that clicks on many sites at the same moment cannot pass together. Throws what the store throws.
   */
  async reserve({ ip, site }: Client, now: number): Promise<keyof Bounds | undefined> {
    const { pendingPerPc, pendingPerSite } = this.#limits
    if (pendingPerPc === 0 && pendingPerSite === 0) return undefined
    if (Math.abs(now - this.#countedAt) >= FRESH_MS) {
      this.#counting ??= this.#count(now).finally(() => (this.#counting = undefined))
      await this.#counting
    }
    if (pendingPerPc !== 0 && (this.#perPc.get(ip) ?? 0) >= pendingPerPc) return 'pendingPerPc'
    if (pendingPerSite !== 0 && (this.#perSite.get(site) ?? 0) >= pendingPerSite)
      return 'pendingPerSite'
    add(this.#perPc, ip, 1)
    add(this.#perSite, site, 1)
    return undefined
  }

  /** Gives back a place whose request was not written. */
  release({ ip, site }: Client): void {
    add(this.#perPc, ip, -1)
    add(this.#perSite, site, -1)
  }

  async #count(now: number): Promise<void> {
    const pending = await this.#store.list('request', { facet: 'pending', limit: MAX_LISTED })
    this.#countedAt = now
    this.#perPc = new Map()
    this.#perSite = new Map()
    for (const { body } of pending) {
      const opener = body.askers[0]
      if (opener !== undefined) add(this.#perPc, opener.ip, 1)
      add(this.#perSite, body.site, 1)
    }
  }
}

function add(tally: Tally, key: string, change: number): void {
  tally.set(key, (tally.get(key) ?? 0) + change)
}
