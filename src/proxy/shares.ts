/**
 * A bounded number of things that clients hold at once (connections, look-ups), shared so that neither a PC nor a school can
 * hold them all: one PC has a bound of its own, a school a share, and the last places are for PCs that hold none yet.
 */
import { networkOf } from '../policy/address.ts'
import type { Client } from '../policy/network.ts'

/** Whom a thing is counted for. */
export type Sharer = Pick<Client, 'ip' | 'site'>

export interface ShareBounds {
  /** Things that all clients together may hold; 0: no bound, and so no share either. */
  readonly all: number
  /** Things that one PC may hold, by its network (an IPv6 PC has a /64 of addresses); 0: no bound. */
  readonly perPc: number
  /** How many schools share them. A city of one school shares with nobody. */
  readonly schools: () => number
}

/** Of all, as a fraction: what one school may hold where there are others. */
const SCHOOL_SHARE = 0.5
/** Of all, as a fraction: the places that only a PC without any may take. */
const RESERVE = 0.1

export type Refusal = 'pc' | 'school' | 'all'

export class Shares {
  readonly #bounds: ShareBounds
  readonly #perPc = new Map<string, number>()
  readonly #perSchool = new Map<string, number>()
  #held = 0

  constructor(bounds: ShareBounds) {
    this.#bounds = bounds
  }

  /** How many are held in all. */
  get held(): number {
    return this.#held
  }

  /** Takes one, to be given back with `release`. Answers undefined, or whose bound stands in the way. */
  take({ ip, site }: Sharer): Refusal | undefined {
    const { all, perPc, schools } = this.#bounds
    const pc = networkOf(ip)
    const ofPc = this.#perPc.get(pc) ?? 0
    const ofSchool = this.#perSchool.get(site) ?? 0
    if (perPc > 0 && ofPc >= perPc) return 'pc'
    if (all > 0) {
      if (this.#held >= all || (ofPc > 0 && this.#held >= all * (1 - RESERVE))) return 'all'
      if (ofSchool >= all * SCHOOL_SHARE && schools() > 1) return 'school'
    }
    this.#held++
    this.#perPc.set(pc, ofPc + 1)
    this.#perSchool.set(site, ofSchool + 1)
    return undefined
  }

  /** Gives back one that `take` gave to the same holder. */
  release({ ip, site }: Sharer): void {
    this.#held--
    lower(this.#perPc, networkOf(ip))
    lower(this.#perSchool, site)
  }
}

/** Only what is held has an entry, so the tables are bounded by what may be held. */
function lower(counts: Map<string, number>, key: string): void {
  const count = counts.get(key) ?? 0
  if (count > 1) counts.set(key, count - 1)
  else counts.delete(key)
}
