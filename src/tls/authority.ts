/**
 * The city's certification authority: made at the first start, loaded afterwards, never overwritten. Its key is the one
 * secret that every browser of the city trusts, so it leaves neither its file nor this module.
 */
import {
  createPrivateKey,
  createPublicKey,
  KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto'
import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { detailOf } from '../error-detail.ts'
import { PreauError, type Words } from '../errors.ts'
import type { Host } from '../policy/host.ts'
import type { CaCertificate } from '../policy/installation.ts'
import { certifyAuthority, createLeafSigner, KEY_ALGORITHM, type Leaf } from './certificate.ts'
import { createFile, isPresent, replaceFile } from './secret-file.ts'

export interface Authority {
  /** What browsers are given to trust. */
  readonly caPem: string
  /** SHA-256 of the certificate, `AA:BB:...`. */
  readonly fingerprint256: string
  /** Epoch ms. */
  readonly notAfter: number
  /** The key file could be read by any user of the machine when it was opened; it no longer can, but it may have been copied. */
  readonly wasKeyExposed: boolean
  /** The certificate of exactly this host (`now`: epoch ms); all leaves of a process share one key. Throws PREAU_CA_UNREADABLE once the authority has expired. */
  issueLeaf(host: Host, now: number): Promise<Leaf>
}

const { subtle } = webcrypto

/**
 * Opens `<dir>/ca.pem` and `<dir>/ca.key`, making what is missing; processes that do so at once end with the same one.
 * Throws PREAU_CA_UNREADABLE when a file is unreadable, wrong, expired, or does not match the other; neither is changed.
 */
export async function openAuthority(
  dir: string,
  { cityName, now }: { readonly cityName: string; readonly now: number },
): Promise<Authority> {
  const keyFile = join(dir, 'ca.key')
  const certificateFile = join(dir, 'ca.pem')
  await refusing(dir, () => fs.mkdir(dir, { recursive: true, mode: 0o700 }))
  // The key first: whoever then finds no certificate makes one for that key, so the files match whoever wins, and a
  // stop between the two heals at the next start. A certificate without its key is never replaced.
  await refusing(keyFile, () => createMissingKey(keyFile, certificateFile))
  const wasKeyExposed = await refusing(keyFile, () => hideFromOthers(keyFile))
  const keys = await refusing(keyFile, () => readKeys(keyFile))
  const certificate = await refusing(certificateFile, async () => {
    if (!(await isPresent(certificateFile))) {
      await createFile(certificateFile, await certifyAuthority(keys, cityName, now), 0o644)
    }
    return readCertificate(certificateFile, keys.privateKey, now)
  })
  return authorityOf(certificate, certificateFile, keys.privateKey, wasKeyExposed)
}

/** A further certificate, PEM, for the key that is in `dir`: who trusts either trusts what the key signs in its name. */
export async function certifyAgain(
  dir: string,
  { cityName, now }: { readonly cityName: string; readonly now: number },
): Promise<string> {
  const keyFile = join(dir, 'ca.key')
  const keys = await refusing(keyFile, () => readKeys(keyFile))
  return certifyAuthority(keys, cityName, now)
}

/**
 * Puts a certificate in the place of the one in `dir`, where the key there is its own. False where it is not, or where
 * there is no key; nothing is changed then. Throws what the system says.
 */
export async function adoptCertificate(dir: string, pem: string): Promise<boolean> {
  const keyFile = join(dir, 'ca.key')
  if (!existsSync(keyFile)) return false
  const { privateKey } = await refusing(keyFile, () => readKeys(keyFile))
  if (!new X509Certificate(pem).checkPrivateKey(KeyObject.from(privateKey))) return false
  const file = join(dir, 'ca.pem')
  await refusing(file, () => replaceFile(file, pem, 0o644))
  return true
}

/** What a certificate says of itself. Throws where it is none. */
export function describeCertificate(pem: string): CaCertificate {
  const certificate = new X509Certificate(pem)
  const { subject } = certificate.toLegacyObject() as { readonly subject?: { readonly O?: string } }
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    cityName: subject?.O ?? '',
    notAfter: certificate.validToDate.getTime(),
  }
}

/** The certificate in `dir`; undefined where there is none that can be read. */
export async function readOwnCertificate(dir: string): Promise<CaCertificate | undefined> {
  try {
    return describeCertificate(await fs.readFile(join(dir, 'ca.pem'), 'utf8'))
  } catch {
    return undefined
  }
}

async function authorityOf(
  certificate: X509Certificate,
  file: string,
  signingKey: webcrypto.CryptoKey,
  wasKeyExposed: boolean,
): Promise<Authority> {
  // Made anew by each process and kept in memory only: a leaf key is worth nothing to a thief for longer than that.
  const leafKeys = await subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify'])
  const keyPem = pemOf(leafKeys.privateKey)
  const caPem = certificate.toString()
  const notAfter = certificate.validToDate.getTime()
  const signLeaf = await createLeafSigner(caPem, signingKey, leafKeys.publicKey)
  return {
    caPem,
    fingerprint256: certificate.fingerprint256,
    notAfter,
    wasKeyExposed,
    async issueLeaf(host, now) {
      if (now >= notAfter) throw unreadable(file, detailOf(expiry(certificate)))
      return { ...(await signLeaf(host, now)), keyPem }
    },
  }
}

async function createMissingKey(keyFile: string, certificateFile: string): Promise<void> {
  if (await isPresent(keyFile)) return
  // Asked in this order, since another process may be making both just now.
  if ((await isPresent(certificateFile)) && !(await isPresent(keyFile))) {
    throw new Error(`missing, while ${certificateFile} is there; put its key back`)
  }
  const { privateKey } = await subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify'])
  await createFile(keyFile, pemOf(privateKey), 0o600)
}

function pemOf(key: webcrypto.CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' })
}

/** Takes the rights of "others" away and says whether there were any. A group's are left: an administrator gave them. */
async function hideFromOthers(keyFile: string): Promise<boolean> {
  const { mode } = await fs.stat(keyFile)
  if ((mode & 0o007) === 0) return false
  await fs.chmod(keyFile, 0o600)
  return true
}

async function readKeys(keyFile: string): Promise<webcrypto.CryptoKeyPair> {
  const secret = createPrivateKey(await fs.readFile(keyFile, 'utf8'))
  if (secret.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error('an ECDSA P-256 key is needed')
  }
  const secretDer = secret.export({ type: 'pkcs8', format: 'der' })
  const publicDer = createPublicKey(secret).export({ type: 'spki', format: 'der' })
  return {
    privateKey: await subtle.importKey('pkcs8', secretDer, KEY_ALGORITHM, true, ['sign']),
    publicKey: await subtle.importKey('spki', publicDer, KEY_ALGORITHM, true, ['verify']),
  }
}

async function readCertificate(
  file: string,
  key: webcrypto.CryptoKey,
  now: number,
): Promise<X509Certificate> {
  const certificate = new X509Certificate(await fs.readFile(file, 'utf8'))
  if (!certificate.ca) throw new Error('not the certificate of an authority')
  if (!certificate.checkPrivateKey(KeyObject.from(key))) {
    throw new Error('it does not match ca.key')
  }
  if (now >= certificate.validToDate.getTime()) throw expiry(certificate)
  return certificate
}

function expiry(certificate: X509Certificate): PreauError {
  const day = certificate.validToDate.toISOString().slice(0, 10)
  return new PreauError('PREAU_CA_ENDED', { day })
}

const unreadable = (file: string, detail: Words, cause?: unknown): PreauError =>
  new PreauError('PREAU_CA_UNREADABLE', { file, detail }, { cause })

async function refusing<T>(file: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw unreadable(file, detailOf(error), error)
  }
}
