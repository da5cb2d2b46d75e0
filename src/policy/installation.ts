/** What all machines on one store must agree on, beside the policy and the lists. */
export interface Installation {
  /** SHA-256 of the certificate of the city's CA, `AA:BB:...`; the CA itself is never in the store. Absent until the first start. */
  readonly caFingerprint?: string
  /** Digests of starter lists that newer ones have replaced: a machine with an older Préau does not bring its own back. */
  readonly replacedStarters?: readonly string[]
}
