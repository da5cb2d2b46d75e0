/** Sessions of the admin app: made at sign-in only, kept in the store under the hash of their token, read at each request. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Limits } from '../config.ts'
import type { Session, User } from '../policy/account.ts'
import type { Change } from '../policy/document.ts'
import type { Store } from '../store/store.ts'
import { listSessions, userId } from './accounts.ts'
import { createToken, hashToken } from './token.ts'

/** The cookie where the browser sees plain HTTP: the machine itself, or an inner network. */
export const SESSION_COOKIE = 'preau_session'
/**
 * The cookie where the browser sees https. Browsers take this prefix from this very host only, and with `Secure`: no other
 * host of the domain can plant one, so that nobody works in the session of somebody else (RFC 6265bis §4.1.3.2).
 */
export const SECURE_COOKIE = '__Host-preau_session'
/** Ties the forms of the pages without session (sign-in, set-up) to one browser. */
export const FORM_COOKIE = 'preau_form'
const TOKEN = /^[\w-]{43}$/
const MINUTE_MS = 60_000
const MAX_SESSIONS_PER_USER = 20

/** Who sends a request. */
export interface SignedIn {
  readonly sessionId: string
  readonly userId: string
  readonly user: User
  readonly csrf: string
}

declare module 'fastify' {
  interface FastifyRequest {
    who: SignedIn | null
  }
}

/** The token that a browser shows, and in which of the two cookies. */
export interface Shown {
  readonly token: string
  readonly isSecure: boolean
}

export function shownSession(request: FastifyRequest): Shown | undefined {
  const { cookies } = request
  const secure = cookies[SECURE_COOKIE]
  const token = secure ?? (isHttps(request) ? undefined : cookies[SESSION_COOKIE])
  return token === undefined ? undefined : { token, isSecure: secure !== undefined }
}

/** The person behind a cookie; the account is read again each time, so that a change of role acts at once. */
export async function readSession(
  store: Store,
  shown: Shown | undefined,
  now: number,
): Promise<SignedIn | null> {
  if (shown === undefined || !TOKEN.test(shown.token)) return null
  const sessionId = hashToken(shown.token)
  const session = await store.get('session', sessionId)
  if (session === undefined || now >= session.body.until) return null
  if (session.body.isSecure && !shown.isSecure) return null
  const user = await store.get('user', session.body.user)
  if (user === undefined || user.body.disabled) return null
  if (session.body.seal !== sealOf(user.body)) return null
  return { sessionId, userId: user.id, user: user.body, csrf: session.body.csrf }
}

const sealOf = ({ password }: User): string => hashToken(password)

export interface NewSession {
  readonly token: string
  readonly changes: readonly Change[]
}

/**
 * A fresh session for an account, and the end of others: of the one that the browser had before (session fixation,
 * CVE-2023-29019), and of its oldest where it has too many.
 */
export async function makeSession(
  store: Store,
  user: User,
  limits: Pick<Limits, 'sessionMinutes'>,
  now: number,
  { previous, isSecure }: { readonly previous: Shown | undefined; readonly isSecure: boolean },
): Promise<NewSession> {
  const token = createToken()
  const { sessionMinutes } = limits
  const until = sessionMinutes === 0 ? Number.MAX_SAFE_INTEGER : now + sessionMinutes * MINUTE_MS
  const body: Session = {
    user: userId(user.name),
    csrf: createToken(),
    at: now,
    until,
    seal: sealOf(user),
    ...(isSecure ? { isSecure } : {}),
  }
  const previousId = previous === undefined ? undefined : hashToken(previous.token)
  const own = await listSessions(store, body.user)
  const crowded = own.toSorted((a, b) => b.body.at - a.body.at).slice(MAX_SESSIONS_PER_USER - 1)
  const ids = new Set(crowded.map(({ id }) => id))
  if (previousId !== undefined) ids.add(previousId)
  const ends = [...ids].map((id): Change => ({ kind: 'session', id, body: null }))
  return {
    token,
    changes: [{ kind: 'session', id: hashToken(token), expects: 'absent', body }, ...ends],
  }
}

/** Behind a proxy that ends TLS the request looks plain, but the browser's `Origin` tells what it sees. */
export function isHttps(request: FastifyRequest): boolean {
  return request.protocol === 'https' || (request.headers.origin?.startsWith('https://') ?? false)
}

const cookieOptions = (request: FastifyRequest) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure: isHttps(request) }) as const

export function giveCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
  token: string,
): void {
  reply.setCookie(name, token, cookieOptions(request))
}

/** Lets the browser forget its session, in whichever cookie it is. */
export function dropSession(request: FastifyRequest, reply: FastifyReply): void {
  const options = cookieOptions(request)
  reply.clearCookie(SESSION_COOKIE, options)
  if (isHttps(request)) reply.clearCookie(SECURE_COOKIE, options)
}
