/** Forms are believed only when they come from our own pages: same origin, the right type, and the token of the session. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../errors.ts'
import { FORM_COOKIE, giveCookie } from './session.ts'
import { createToken, isSameToken, tokenFor } from './token.ts'

const CSRF_FIELD = '_csrf'
const CSRF_HEADER = 'x-csrf-token'
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])
// Nothing but this, spelled like this: lenient parsing of the type opened CVE-2022-41919.
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i

export function isUnsafe(method: string): boolean {
  return !SAFE_METHODS.has(method)
}

/** Before the body is read. Throws PREAU_MEDIA_TYPE or PREAU_FORM_EXPIRED. */
export function assertOwnForm({ headers }: FastifyRequest): void {
  if (!FORM_TYPE.test(headers['content-type'] ?? '')) throw new PreauError('PREAU_MEDIA_TYPE')
  const site = headers['sec-fetch-site']
  const { origin, host } = headers
  const isSameSite = site === undefined || site === 'same-origin'
  const isSameOrigin = origin === undefined || hostOf(origin) === host?.toLowerCase()
  // Every browser sends one of the two with a form; a request with neither is not from a page of ours.
  if (isSameSite && isSameOrigin && (site !== undefined || origin !== undefined)) return
  throw new PreauError('PREAU_FORM_EXPIRED')
}

function hostOf(origin: string): string | undefined {
  return URL.parse(origin)?.host
}

/** After the body is read. `expected`: the session's token, or that of the form cookie. Throws PREAU_FORM_EXPIRED. */
export function assertToken(request: FastifyRequest, expected: string | undefined): void {
  const body: unknown = request.body
  const field =
    typeof body === 'object' && body !== null && CSRF_FIELD in body ? body[CSRF_FIELD] : undefined
  const sent = field ?? request.headers[CSRF_HEADER]
  if (typeof sent !== 'string' || expected === undefined || !isSameToken(sent, expected)) {
    throw new PreauError('PREAU_FORM_EXPIRED')
  }
}

/** The token that a form without session must bring back. */
export function expectedFormToken(request: FastifyRequest): string | undefined {
  const cookie = request.cookies[FORM_COOKIE]
  return cookie === undefined || cookie === '' ? undefined : tokenFor(cookie)
}

/** The token to put in a form without session; gives the browser the cookie that goes with it. */
export function giveFormToken(request: FastifyRequest, reply: FastifyReply): string {
  const known = expectedFormToken(request)
  if (known !== undefined) return known
  const cookie = createToken()
  giveCookie(request, reply, FORM_COOKIE, cookie)
  return tokenFor(cookie)
}
