/** Signing in and out. Every attempt is slowed down, audited, and answered with the same words. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { MAX_PASSWORD, type User } from '../../policy/account.ts'
import type { Change } from '../../policy/document.ts'
import { userId } from '../accounts.ts'
import { giveFormToken } from '../csrf.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { FormReader } from '../form-reader.ts'
import type { Attempt } from '../login-guard.ts'
import { renderPage, type Notice } from '../page.ts'
import { verifyOrPretend } from '../password.ts'
import {
  dropSession,
  giveCookie,
  isHttps,
  makeSession,
  SECURE_COOKIE,
  SESSION_COOKIE,
  shownSession,
} from '../session.ts'
import { refuseForm, showForm, type ShownForm } from '../shown-form.ts'
import { adminTexts } from '../texts.ts'

const MAX_NAME = 128

export function signInRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock } = deps
  app.get('/sign-in', { config: { access: 'public' } }, (request, reply) =>
    request.who === null
      ? showSignIn(request, reply, deps, { form: showForm() })
      : reply.redirect(safeNext(request.query), 303),
  )
  app.post('/sign-in', { config: { access: 'public' } }, async (request, reply) => {
    const form = new FormReader(request.body, adminTexts(request.locale))
    try {
      const name = form.needed('name', MAX_NAME)
      const password = form.raw('password', MAX_PASSWORD)
      form.end()
      const user = await checkPassword(request, deps, name, password)
      await startSession(request, reply, deps, user)
    } catch (error) {
      return showSignIn(request, reply, deps, refuseForm(request, reply, error))
    }
    return reply.redirect(safeNext(request.body), 303)
  })
  app.post('/sign-out', { config: { access: 'session' } }, async (request, reply) => {
    const { who } = request
    if (who !== null) {
      const { name } = who.user
      await store.commit({ by: name, action: 'session.close', subject: name, at: clock() }, [
        { kind: 'session', id: who.sessionId, body: null },
      ])
    }
    dropSession(request, reply)
    return reply.redirect('/sign-in', 303)
  })
}

async function showSignIn(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  { form, notice }: { readonly form: ShownForm; readonly notice?: Notice },
): Promise<FastifyReply> {
  return renderPage(request, reply, deps, {
    view: 'sign-in',
    title: adminTexts(request.locale)('signIn.title'),
    notice,
    formToken: giveFormToken(request, reply),
    data: {
      form,
      next: safeNext(request.method === 'GET' ? request.query : request.body),
      hasAccount: (await deps.store.count('user')) > 0,
    },
  })
}

/** Throws PREAU_SIGN_IN_REFUSED, PREAU_SIGN_IN_LOCKED, PREAU_OVERLOADED, or what the store throws. */
async function checkPassword(
  request: FastifyRequest,
  deps: RouteDeps,
  name: string,
  password: string,
): Promise<User> {
  const id = userId(name)
  const attempt = await deps.guard.admit(id, request.ip)
  const isRight = await examine(deps, attempt, id, password)
  if (isRight !== undefined) return isRight
  await auditFailure(request, deps, attempt, name)
  throw new PreauError('PREAU_SIGN_IN_REFUSED')
}

async function examine(
  { store }: RouteDeps,
  attempt: Attempt,
  id: string,
  password: string,
): Promise<User | undefined> {
  try {
    const user = (await store.get('user', id))?.body
    const isRight = await verifyOrPretend(password, user?.password)
    if (!isRight || user === undefined || user.disabled) return undefined
    await attempt.succeed()
    return user
  } catch (error) {
    // Where the store is down the attempt stays counted: it is forgotten with its window.
    await attempt.release().catch(() => undefined)
    throw error
  }
}

/** Only the first ones of an hour are written; the others are counted. */
export async function auditFailure(
  { ip }: FastifyRequest,
  { store, clock }: Pick<RouteDeps, 'store' | 'clock'>,
  attempt: Attempt,
  subject: string,
): Promise<void> {
  const { isLogged, lock, unlogged } = await attempt.fail()
  if (!isLogged) return
  const detail = { address: ip, ...(unlogged === 0 ? {} : { unlogged }) }
  const note = { by: 'system', subject, at: clock() }
  await store.commit({ ...note, action: 'session.refuse', detail }, [])
  if (lock === undefined) return
  await store.commit({ ...note, action: 'session.lock', detail: { address: ip, lock } }, [])
}

/** A fresh session in place of whatever the browser had; `changes` go in the same commit. */
export async function startSession(
  request: FastifyRequest,
  reply: FastifyReply,
  { store, clock, config }: Pick<RouteDeps, 'store' | 'clock' | 'config'>,
  user: User,
  changes: readonly Change[] = [],
): Promise<void> {
  const now = clock()
  const isSecure = isHttps(request)
  const origin = { previous: shownSession(request), isSecure }
  const session = await makeSession(store, user, config.limits, now, origin)
  const detail = { address: request.ip }
  await store.commit(
    { by: user.name, action: 'session.open', subject: user.name, detail, at: now },
    [...changes, ...session.changes],
  )
  giveCookie(request, reply, isSecure ? SECURE_COOKIE : SESSION_COOKIE, session.token)
}

/** Only a path of this app: `//host` and `/\host` lead elsewhere. */
function safeNext(source: unknown): string {
  const next = queryText(source, 'next', 500)
  return next !== undefined && /^\/(?![/\\])[\x21-\x7e]*$/.test(next) ? next : '/'
}
