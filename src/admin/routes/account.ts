/** One's own account: changing the password closes every session and opens a fresh one. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { MAX_PASSWORD, MIN_PASSWORD } from '../../policy/account.ts'
import { setPassword } from '../accounts.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText, rawField } from '../form.ts'
import { renderPage, type Notice } from '../page.ts'
import { verifyPassword } from '../password.ts'
import { adminTexts } from '../texts.ts'
import { auditFailure, startSession } from './sign-in.ts'

export function accountRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/account', { config: { access: 'session' } }, (request, reply) => {
    const isDone = queryText(request.query, 'done') !== undefined
    const text = adminTexts(request.locale)('account.done')
    return showAccount(request, reply, deps, isDone ? { kind: 'done', text } : undefined)
  })
  app.post('/account', { config: { access: 'session' } }, async (request, reply) => {
    try {
      await changeOwnPassword(request, reply, deps)
    } catch (error) {
      if (!(error instanceof PreauError) || error.status >= 500) throw error
      reply.code(error.status)
      const text = error.text(request.locale)
      return showAccount(request, reply, deps, { kind: 'problem', text })
    }
    return reply.redirect('/account?done=1', 303)
  })
}

/** Throws PREAU_PASSWORD_WRONG, PREAU_PASSWORD_LENGTH, PREAU_SIGN_IN_LOCKED or PREAU_OVERLOADED. */
async function changeOwnPassword(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
): Promise<void> {
  const { who } = request
  if (who === null) throw new PreauError('PREAU_SIGN_IN_NEEDED')
  const current = rawField(request.body, 'current', MAX_PASSWORD * 2)
  const password = rawField(request.body, 'password', MAX_PASSWORD * 2)
  // The same lock as for signing in: a stolen session must not be a place to guess at leisure.
  const attempt = await deps.guard.admit(who.userId, request.ip)
  const isRight = await verifyPassword(current, who.user.password).catch(async (error: unknown) => {
    await attempt.release().catch(() => undefined)
    throw error
  })
  const { name } = who.user
  if (!isRight) {
    await auditFailure(request, deps, attempt, name)
    throw new PreauError('PREAU_PASSWORD_WRONG')
  }
  await attempt.succeed()
  const user = await setPassword(deps.store, { name, password, by: name, now: deps.clock() })
  await startSession(request, reply, deps, user)
}

function showAccount(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  notice: Notice | undefined,
): Promise<FastifyReply> {
  const title = adminTexts(request.locale)('account.title')
  const data = { minPassword: MIN_PASSWORD, maxPassword: MAX_PASSWORD }
  return renderPage(request, reply, deps, {
    view: 'account',
    title,
    nav: 'nav.account',
    notice,
    data,
  })
}
