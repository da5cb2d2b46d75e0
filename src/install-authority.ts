/**
 * The city's CA: made at the first start, opened afterwards. Apart from `install.ts`, since few commands need it. Browsers
 * trust one CA, so all machines on one store have the same: the store knows its certificate, which is public, and
 * never its key.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { activateWhereEnded } from './admin/certificate-acts.ts'
import type { Config } from './config.ts'
import { hasCode, PreauError } from './errors.ts'
import { DEFAULT_POLICY } from './policy/default-policy.ts'
import { CURRENT } from './policy/document.ts'
import { withAuthority, type Installation } from './policy/installation.ts'
import type { Store, Stored } from './store/store.ts'
import {
  adoptCertificate,
  describeCertificate,
  openAuthority,
  readOwnCertificate,
  type Authority,
} from './tls/authority.ts'

/** The folder of the city's CA. */
export const authorityDir = (config: Config): string => join(config.dataDir, 'ca')

/**
 * Opens the city's CA, made at the first start and named after the city of the policy then in force, and records its
 * certificate. Throws rather than let a second one come to be, which no PC knows: PREAU_CA_LOST, or PREAU_CA_ELSEWHERE and
 * PREAU_CA_DIFFERS where several machines share the store. Throws what `openAuthority` and the store throw.
 */
export async function installAuthority(
  config: Config,
  store: Store,
  now: number,
): Promise<Authority> {
  const folder = authorityDir(config)
  await activateWhereEnded(store, now)
  const known = await store.get('installation', CURRENT)
  await followCertificate(folder, known?.body)
  const recorded = known?.body.caFingerprint
  const isShared = store.files !== undefined
  if (recorded !== undefined && (isShared ? !isWhole(folder) : isGone(folder)))
    throw new PreauError(isShared ? 'PREAU_CA_ELSEWHERE' : 'PREAU_CA_LOST', { folder, recorded })
  const authority = await makeOrOpen(folder, store, now)
  const found = authority.fingerprint256
  if (found === recorded && known?.body.ca !== undefined) return authority
  if (isShared && recorded !== undefined && found !== recorded)
    throw new PreauError('PREAU_CA_DIFFERS', { folder, found, recorded })
  try {
    await record(store, known, authority.caPem, now)
  } catch (error) {
    if (!hasCode(error, 'PREAU_CONFLICT')) throw error
    // Another process or machine was faster: what it recorded is what counts.
    return installAuthority(config, store, now)
  }
  return authority
}

/**
 * Puts the certificate that the store has on the disk of this machine, where its key is here: somebody has said that the
 * PCs have it, perhaps on another machine. False where nothing had to be changed, or this machine has another key.
 */
export async function followCertificate(
  folder: string,
  installation: Installation | undefined,
): Promise<boolean> {
  const { ca } = installation ?? {}
  if (ca === undefined) return false
  const own = await readOwnCertificate(folder)
  // One that is there and cannot be read is somebody's to look at.
  if (own === undefined && existsSync(join(folder, 'ca.pem'))) return false
  return own?.fingerprint !== ca.fingerprint && (await adoptCertificate(folder, ca.pem))
}

/**
 * The CA as a process of a machine that has started opens it. Where its files are here the store is not asked: whoever
 * comes back while it is down still shows block pages, and `preau start` has compared it.
 */
export async function reopenAuthority(
  config: Config,
  store: Store,
  now: number,
): Promise<Authority> {
  const folder = authorityDir(config)
  return isWhole(folder)
    ? openAuthority(folder, { cityName: '', now })
    : installAuthority(config, store, now)
}

/** Makes the CA of this machine the one that all others must have. Throws what `openAuthority` and the store throw. */
export async function recordAuthority(
  config: Config,
  store: Store,
  now: number,
): Promise<Authority> {
  const authority = await makeOrOpen(authorityDir(config), store, now)
  const known = await store.get('installation', CURRENT)
  if (known?.body.ca?.fingerprint !== authority.fingerprint256)
    await record(store, known, authority.caPem, now, 'cli')
  return authority
}

const isWhole = (folder: string): boolean =>
  existsSync(join(folder, 'ca.key')) && existsSync(join(folder, 'ca.pem'))

/** Whether nothing of a CA is in the folder. */
export const isGone = (folder: string): boolean =>
  !existsSync(join(folder, 'ca.key')) && !existsSync(join(folder, 'ca.pem'))

async function makeOrOpen(folder: string, store: Store, now: number): Promise<Authority> {
  const policy = await store.get('policy', CURRENT)
  const cityName = policy?.body.city.name ?? DEFAULT_POLICY.city.name
  return openAuthority(folder, { cityName, now })
}

async function record(
  store: Store,
  known: Stored<'installation'> | undefined,
  caPem: string,
  at: number,
  by = 'system',
): Promise<void> {
  const ca = describeCertificate(caPem)
  const body = withAuthority(known?.body, ca)
  await store.commit({ by, action: 'ca.record', subject: ca.fingerprint, at }, [
    { kind: 'installation', id: CURRENT, expects: known?.version ?? 'absent', body },
  ])
}
