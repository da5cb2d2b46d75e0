/**
 * NTLM and Negotiate sign in a connection, not a request: whatever comes over it afterwards is that person's, whoever sent
 * it (RFC 4559 §6, CVE-2014-0015 in curl). So an origin connection that has seen such a sign-in belongs to the client
 * connection that it came from, as long as both stand, and to nobody else ever.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Target } from '../policy/host.ts'

/** A browser signs in at few origins over one connection; the oldest of more is let go. */
export const MAX_PINS = 8

/** Kerberos alone and Nego2 are the same by older names. */
const BOUND = /\b(?:ntlm|nego\w*|kerberos)\b/i

/** Whether a request signs its connection in. */
function signsIn({ authorization }: IncomingHttpHeaders): boolean {
  return authorization !== undefined && BOUND.test(authorization.split(' ', 1)[0] ?? '')
}

/** Whether an answer asks for such a sign-in. */
export function asksToSignIn(headers: IncomingHttpHeaders): boolean {
  const challenge = headers['www-authenticate']
  return challenge !== undefined && BOUND.test(challenge)
}

/** Who has signed in where. What is forgotten here is not lost to others: nobody else is given its connection either. */
export class Pins {
  readonly #origins = new WeakMap<Socket, Set<string>>()

  /** Whether a client connection has signed in at an origin, or does so with these fields. */
  has(client: Socket, { host, port }: Target, headers: IncomingHttpHeaders): boolean {
    const origins = this.#origins.get(client)
    if (origins === undefined && headers.authorization === undefined) return false
    const origin = `${host}:${port}`
    if (origins?.has(origin)) return true
    if (!signsIn(headers)) return false
    if (origins === undefined) this.#origins.set(client, new Set([origin]))
    else {
      const [oldest] = origins
      if (origins.size >= MAX_PINS && oldest !== undefined) origins.delete(oldest)
      origins.add(origin)
    }
    return true
  }
}
