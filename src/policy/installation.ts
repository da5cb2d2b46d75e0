/**
 * What all machines on one store must agree on, beside the policy and the lists: above all the certificate of the city's
 * CA, which every PC trusts. A new one stands beside it until the DSI says that the PCs have it.
 */
import { PreauError } from '../errors.ts'

/** A certificate of the CA, which is public; its key is in no store. */
export interface CaCertificate {
  readonly pem: string
  /** SHA-256, `AA:BB:...`. */
  readonly fingerprint: string
  /** The name of the city, as the certificate says it. */
  readonly cityName: string
  /** Epoch ms. */
  readonly notAfter: number
}

export interface Installation {
  /** SHA-256 of the certificate in use. Absent until the first start. */
  readonly caFingerprint?: string
  /** The certificate in use; absent of an installation that an older Préau has made. */
  readonly ca?: CaCertificate
  /** Made for the same key, for PCs to install; block pages do not show it yet. */
  readonly caNext?: CaCertificate
  /** The one that was in use before: PCs that have no other see a warning. */
  readonly caPrevious?: CaCertificate
  /** Digests of starter lists that newer ones have replaced: a machine with an older Préau does not bring its own back. */
  readonly replacedStarters?: readonly string[]
}

/** A CA that is here from now on. Certificates of another key go with the one before. */
export function withAuthority(before: Installation | undefined, ca: CaCertificate): Installation {
  const isSame = before?.caFingerprint === ca.fingerprint
  const { caNext: _next, caPrevious: _previous, ...others } = before ?? {}
  return { ...(isSame ? before : others), caFingerprint: ca.fingerprint, ca }
}

export const withNext = (before: Installation, caNext: CaCertificate): Installation => ({
  ...before,
  caNext,
})

/** Throws PREAU_CA_NO_NEXT. */
export function withoutNext(before: Installation | undefined): Installation {
  if (before?.caNext === undefined) throw new PreauError('PREAU_CA_NO_NEXT')
  const { caNext: _next, ...others } = before
  return others
}

/** Block pages show the next one from now on. Throws PREAU_CA_NO_NEXT. */
export function withNextInUse(before: Installation | undefined): Installation {
  const next = before?.caNext
  if (next === undefined) throw new PreauError('PREAU_CA_NO_NEXT')
  const { ca, ...others } = withoutNext(before)
  return {
    ...others,
    caFingerprint: next.fingerprint,
    ca: next,
    ...(ca === undefined ? {} : { caPrevious: ca }),
  }
}

/** The one before is in use again, and the one that was becomes the next. Throws PREAU_CA_NO_PREVIOUS. `now`: epoch ms. */
export function withPreviousInUse(before: Installation | undefined, now: number): Installation {
  const { ca, caPrevious, ...others } = before ?? {}
  if (ca === undefined || caPrevious === undefined || caPrevious.notAfter <= now)
    throw new PreauError('PREAU_CA_NO_PREVIOUS')
  return { ...others, caFingerprint: caPrevious.fingerprint, ca: caPrevious, caNext: ca }
}
