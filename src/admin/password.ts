/** Passwords as scrypt hashes with their parameters stored, and a bound on how many are computed at once. */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { PreauError } from '../errors.ts'

interface Parameters {
  readonly N: number
  readonly r: number
  readonly p: number
}

// OWASP password storage cheat sheet (2023): N=2^15, r=8, p=3 or N=2^17, p=1; 2^15 keeps a sign-in near 60 ms and 32 MB.
const CURRENT: Parameters = { N: 2 ** 15, r: 8, p: 1 }
const KEY_BYTES = 32
const SALT_BYTES = 16
const MAX_RUNNING = 3
const MAX_WAITING = 24
const MAX_MEMORY = 256 * 1024 * 1024

let running = 0
const waiting: (() => void)[] = []

/** Each hash takes 32 MB and a thread: a flood of sign-ins waits here, then is refused, and stalls nothing else. */
async function takeTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= MAX_RUNNING) {
    if (waiting.length >= MAX_WAITING) throw new PreauError('PREAU_OVERLOADED')
    await new Promise<void>(resolve => waiting.push(resolve))
  } else running++
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

function derive(password: string, salt: Buffer, size: number, cost: Parameters): Promise<Buffer> {
  const options = { ...cost, maxmem: 2 * 128 * cost.N * cost.r + 1024 * 1024 }
  // NFC: the same password typed on a Mac and on Windows gives the same bytes (NIST SP 800-63B §5.1.1.2).
  const secret = password.normalize('NFC')
  return takeTurn(
    () =>
      new Promise((resolve, reject) => {
        scrypt(secret, salt, size, options, (error, key) => {
          if (error) reject(error)
          else resolve(key)
        })
      }),
  )
}

/** `scrypt$N$r$p$salt$hash`, base64. Throws PREAU_OVERLOADED when too many are waiting. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(password, salt, KEY_BYTES, CURRENT)
  const { N, r, p } = CURRENT
  return ['scrypt', N, r, p, salt.toString('base64'), key.toString('base64')].join('$')
}

/** False for a wrong password and for a stored value that is no hash. Throws PREAU_OVERLOADED. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const parsed = parseStored(stored)
  if (parsed === undefined) return false
  const key = await derive(password, parsed.salt, parsed.key.length, parsed.cost)
  return timingSafeEqual(key, parsed.key)
}

function parseStored(stored: string) {
  const [name, N, r, p, salt = '', key = '', ...rest] = stored.split('$')
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  const isSane =
    name === 'scrypt' &&
    rest.length === 0 &&
    Object.values(cost).every(value => Number.isSafeInteger(value) && value > 0) &&
    128 * cost.N * cost.r * cost.p <= MAX_MEMORY
  const parsed = { cost, salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') }
  return isSane && parsed.key.length >= 16 ? parsed : undefined
}

// The hash of no password: an unknown user costs the same work as a known one, so time tells nobody who exists.
const DECOY = `scrypt$${CURRENT.N}$${CURRENT.r}$${CURRENT.p}$${'A'.repeat(22)}==$${'A'.repeat(43)}=`

/** As `verifyPassword`, with the same work when there is no such account (`stored` undefined). */
export async function verifyOrPretend(
  password: string,
  stored: string | undefined,
): Promise<boolean> {
  const isRight = await verifyPassword(password, stored ?? DECOY)
  return isRight && stored !== undefined
}
