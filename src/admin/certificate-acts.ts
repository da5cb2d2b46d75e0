/**
 * What people do about the certificate of the city: prepare a new one, put it in use once the PCs have it, drop it, go back.
 * Each is one commit, which all machines follow; the key stays where it is.
 */
import { CURRENT } from '../policy/document.ts'
import { DEFAULT_POLICY } from '../policy/default-policy.ts'
import {
  withNext,
  withNextInUse,
  withoutNext,
  withPreviousInUse,
  type CaCertificate,
  type Installation,
} from '../policy/installation.ts'
import type { Store } from '../store/store.ts'
import { certifyAgain, describeCertificate } from '../tls/authority.ts'

export interface Actor {
  readonly by: string
  /** Epoch ms. */
  readonly now: number
}

/** A new certificate in the name of the city, for five years. One that waits already is replaced. */
export async function prepareCertificate(
  store: Store,
  folder: string,
  actor: Actor,
): Promise<CaCertificate> {
  const policy = await store.get('policy', CURRENT)
  const cityName = policy?.body.city.name ?? DEFAULT_POLICY.city.name
  const next = describeCertificate(await certifyAgain(folder, { cityName, now: actor.now }))
  await change(store, 'ca.prepare', actor, before => withNext(before ?? {}, next))
  return next
}

/** Throws PREAU_CA_NO_NEXT. */
export const activateCertificate = (store: Store, actor: Actor): Promise<Installation> =>
  change(store, 'ca.activate', actor, withNextInUse)

/** Throws PREAU_CA_NO_NEXT. */
export const discardCertificate = (store: Store, actor: Actor): Promise<Installation> =>
  change(store, 'ca.discard', actor, withoutNext)

/** Throws PREAU_CA_NO_PREVIOUS. */
export const rollBackCertificate = (store: Store, actor: Actor): Promise<Installation> =>
  change(store, 'ca.rollback', actor, before => withPreviousInUse(before, actor.now))

/** What has ended helps nobody: block pages show the next one even where nobody has said that the PCs have it. */
export async function activateWhereEnded(store: Store, now: number): Promise<void> {
  const { ca, caNext } = (await store.get('installation', CURRENT))?.body ?? {}
  if (ca === undefined || caNext === undefined || now < ca.notAfter) return
  await activateCertificate(store, { by: 'system', now })
}

async function change(
  store: Store,
  action: string,
  { by, now }: Actor,
  edit: (before: Installation | undefined) => Installation,
): Promise<Installation> {
  const known = await store.get('installation', CURRENT)
  const body = edit(known?.body)
  const subject = (action === 'ca.prepare' ? body.caNext : body.ca)?.fingerprint ?? ''
  await store.commit({ by, action, subject, at: now }, [
    { kind: 'installation', id: CURRENT, expects: known?.version ?? 'absent', body },
  ])
  return body
}
