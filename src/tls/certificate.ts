/** What the certificates of Préau contain: the city's authority, and the leaf that lets a blocked host show its page. */
// @peculiar/x509 2 loads tsyringe, which asks for this polyfill and leaves it to the program.
import 'reflect-metadata'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  type Extension,
} from '@peculiar/x509'
import { randomBytes, type webcrypto } from 'node:crypto'
import { isAddress, type Host } from '../policy/host.ts'

type CryptoKey = webcrypto.CryptoKey
type CryptoKeyPair = webcrypto.CryptoKeyPair

export const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const
const SIGNING_ALGORITHM = { name: 'ECDSA', hash: 'SHA-256' } as const

const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 5 * 365
// School PCs with a flat battery start in the past; 2 + 88 stays within 90 days.
const LEAF_BACK_DAYS = 2
const LEAF_DAYS = 88
// ub-common-name and ub-organization-name of RFC 5280, appendix A.1.
const MAX_NAME = 64

function boundedName(text: string): string {
  return Array.from(text.replace(/\p{Cc}/gu, ' '))
    .slice(0, MAX_NAME)
    .join('')
}

/** The certificate, PEM, of the city's authority. `now`: epoch ms. */
export async function certifyAuthority(
  keys: CryptoKeyPair,
  cityName: string,
  now: number,
): Promise<string> {
  // As objects: of a plain string, "#" at the start would mean hexadecimal.
  const name = new Name([
    { O: [{ utf8String: boundedName(cityName) }] },
    { CN: [{ utf8String: boundedName(`Préau – ${cityName}`) }] },
  ])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    serialNumber: randomSerial(),
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + AUTHORITY_DAYS * DAY_MS),
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

export interface Leaf {
  readonly certPem: string
  readonly keyPem: string
  /** Epoch ms. */
  readonly notAfter: number
}
/** Makes the certificate of one host (`now`: epoch ms). */
export type SignLeaf = (host: Host, now: number) => Promise<Omit<Leaf, 'keyPem'>>

/** All leaves have `leafKey`, so that a new host costs one signature and no key. */
export async function createLeafSigner(
  authorityPem: string,
  signingKey: CryptoKey,
  leafKey: CryptoKey,
): Promise<SignLeaf> {
  const authority = new X509Certificate(authorityPem)
  const issuer = authority.subjectName
  const authorityEnd = authority.notAfter.getTime()
  // As its bytes: a key would be exported anew for each leaf.
  const publicKey = await PublicKey.create(leafKey)
  const shared = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    await authorityKeyIdentifier(authority),
    await SubjectKeyIdentifierExtension.create(leafKey),
  ]
  return async (host, now) => {
    const notAfter = Math.min(now + LEAF_DAYS * DAY_MS, authorityEnd)
    const isNamed = host.length <= MAX_NAME
    const certificate = await X509CertificateGenerator.create({
      issuer,
      ...(isNamed ? { subject: new Name([{ CN: [{ utf8String: host }] }]) } : {}),
      serialNumber: randomSerial(),
      notBefore: new Date(now - LEAF_BACK_DAYS * DAY_MS),
      notAfter: new Date(notAfter),
      publicKey,
      signingKey,
      signingAlgorithm: SIGNING_ALGORITHM,
      extensions: [alternativeName(host, !isNamed), ...shared],
    })
    return { certPem: `${certificate.toString('pem')}\n`, notAfter: certificate.notAfter.getTime() }
  }
}

/** Critical when it is the only name (RFC 5280 §4.2.1.6). */
function alternativeName(host: Host, isCritical: boolean): Extension {
  const type = isAddress(host) ? 'ip' : 'dns'
  return new SubjectAlternativeNameExtension([{ type, value: host }], isCritical)
}

/** 128 bits as hexadecimal, positive and without a leading zero byte; Firefox refuses a second certificate of an issuer and serial. */
function randomSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function authorityKeyIdentifier(authority: X509Certificate): Promise<Extension> {
  const own = authority.getExtension(SubjectKeyIdentifierExtension)
  return own === null
    ? AuthorityKeyIdentifierExtension.create(authority.publicKey)
    : new AuthorityKeyIdentifierExtension(own.keyId)
}
