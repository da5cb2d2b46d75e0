/** Random tokens, and what is stored or compared in their place. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** 256 bits, base64url: 43 characters. */
export function createToken(): string {
  return randomBytes(32).toString('base64url')
}

/** What the store holds of a token: a copy of the database opens nothing. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Compares two texts in a time that does not depend on where they differ. */
export function isSameToken(a: string, b: string): boolean {
  const [left, right] = [a, b].map(text => createHash('sha256').update(text).digest())
  return left !== undefined && right !== undefined && timingSafeEqual(left, right)
}

/** The form token that belongs to a cookie, for the pages that have no session yet. */
export function tokenFor(cookie: string): string {
  return createHmac('sha256', cookie).update('preau form').digest('base64url')
}
