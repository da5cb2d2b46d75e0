/** What Préau said that it did: every acknowledged click, decision and revocation, to be compared with the store. */
export interface Click {
  readonly host: string
  readonly ip: string
  /** `none`: the answer did not say that a request waits (decided meanwhile): nothing more is promised. */
  readonly state: string
}

export interface Decided {
  readonly requestId: string
  readonly host: string
  readonly outcome: 'approved' | 'refused'
}

export interface Counts {
  acknowledged: number
  /** « Not possible right now », in words, and nothing written. */
  refusedHonestly: number
  /** The connection died with its process. */
  cut: number
  /** Nothing came in time. */
  hung: number
  /** Any other answer. */
  broken: number
}

const none = (): Counts => ({ acknowledged: 0, refusedHonestly: 0, cut: 0, hung: 0, broken: 0 })

export class Ledger {
  readonly clicks: Click[] = []
  readonly decisions: Decided[] = []
  readonly revoked: { readonly grantId: string; readonly host: string }[] = []
  readonly clicking = none()
  readonly deciding = none()

  get acknowledged(): number {
    return this.clicks.length + this.decisions.length + this.revoked.length
  }
}
