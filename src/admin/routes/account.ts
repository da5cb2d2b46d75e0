/** One's own account: changing the password closes every session and opens a fresh one. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { MAX_PASSWORD, MIN_PASSWORD } from '../../policy/account.ts'
import { setPassword } from '../accounts.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { FormReader } from '../form-reader.ts'
import { renderPage, type Notice } from '../page.ts'
import { verifyPassword } from '../password.ts'
import { refuseForm, showForm, type ShownForm } from '../shown-form.ts'
import { adminTexts } from '../texts.ts'
import { auditFailure, startSession } from './sign-in.ts'

export function accountRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/account', { config: { access: 'session' } }, (request, reply) => {
    const isDone = queryText(request.query, 'done') !== undefined
    const text = adminTexts(request.locale)('account.done')
    const notice = isDone ? ({ kind: 'done', text } as const) : undefined
    return showAccount(request, reply, deps, { notice, form: showForm() })
  })
  app.post('/account', { config: { access: 'session' } }, async (request, reply) => {
    try {
      await changeOwnPassword(request, reply, deps)
    } catch (error) {
      return showAccount(request, reply, deps, refuseForm(request, reply, error))
    }
    return reply.redirect('/account?done=1', 303)
  })
}

/** Throws FormRefused, PREAU_PASSWORD_WRONG, PREAU_PASSWORD_LENGTH, PREAU_SIGN_IN_LOCKED or PREAU_OVERLOADED. */
async function changeOwnPassword(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
): Promise<void> {
  const { who } = request
  if (who === null) throw new PreauError('PREAU_SIGN_IN_NEEDED')
  const form = new FormReader(request.body, adminTexts(request.locale))
  const current = form.raw('current', MAX_PASSWORD)
  const password = form.raw('password', MAX_PASSWORD)
  form.end()
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
  { notice, form }: { readonly notice: Notice | undefined; readonly form: ShownForm },
): Promise<FastifyReply> {
  const title = adminTexts(request.locale)('account.title')
  const data = { form, minPassword: MIN_PASSWORD, maxPassword: MAX_PASSWORD }
  return renderPage(request, reply, deps, {
    view: 'account',
    title,
    nav: 'nav.account',
    notice,
    data,
  })
}
