/** Sessions of the admin app: made at sign-in only, kept in the store under the hash of their token, read at each request. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Limits } from '../config.ts'
import type { Session, User } from '../policy/account.ts'
import type { Change } from '../policy/document.ts'
import type { Store } from '../store/store.ts'
import { userId } from './accounts.ts'
import { listAll } from './list-all.ts'
import { createToken, hashToken } from './token.ts'

export const SESSION_COOKIE = 'preau_session'
/** Ties the forms of the pages without session (sign-in, set-up) to one browser. */
export const FORM_COOKIE = 'preau_form'
const TOKEN = /^[\w-]{43}$/
const MINUTE_MS = 60_000
const MAX_SESSIONS = 5_000
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

/** The person behind a cookie; the account is read again each time, so that a change of role acts at once. */
export async function readSession(
  store: Store,
  token: string | undefined,
  now: number,
): Promise<SignedIn | null> {
  if (token === undefined || !TOKEN.test(token)) return null
  const sessionId = hashToken(token)
  const session = await store.get('session', sessionId)
  if (session === undefined || now >= session.body.until) return null
  const user = await store.get('user', session.body.user)
  if (user === undefined || user.body.disabled) return null
  return { sessionId, userId: user.id, user: user.body, csrf: session.body.csrf }
}

export interface NewSession {
  readonly token: string
  readonly changes: readonly Change[]
}

/**
 * A fresh session for an account, and the end of those that are over: expired ones, the one that the browser had
 * before (session fixation, CVE-2023-29019), and the oldest of an account that has too many.
 */
export async function makeSession(
  store: Store,
  user: User,
  limits: Pick<Limits, 'sessionMinutes'>,
  now: number,
  previousToken?: string,
): Promise<NewSession> {
  const token = createToken()
  const { sessionMinutes } = limits
  const until = sessionMinutes === 0 ? Number.MAX_SAFE_INTEGER : now + sessionMinutes * MINUTE_MS
  const body: Session = { user: userId(user.name), csrf: createToken(), at: now, until }
  const previous = previousToken === undefined ? undefined : hashToken(previousToken)
  const sessions = await listAll(store, 'session', {}, MAX_SESSIONS)
  const own = sessions.filter(session => session.body.user === body.user)
  const crowded = own.toSorted((a, b) => b.body.at - a.body.at).slice(MAX_SESSIONS_PER_USER - 1)
  const over = sessions.filter(session => {
    return session.body.until <= now || session.id === previous || crowded.includes(session)
  })
  const ends = over.map(({ id }): Change => ({ kind: 'session', id, body: null }))
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

export function dropCookie(request: FastifyRequest, reply: FastifyReply, name: string): void {
  reply.clearCookie(name, cookieOptions(request))
}
