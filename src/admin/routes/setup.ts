/** The one-time page that creates the first account: GET shows it, POST spends the link. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { MAX_PASSWORD, MIN_PASSWORD } from '../../policy/account.ts'
import { giveFormToken } from '../csrf.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { FormReader } from '../form-reader.ts'
import { renderPage, type Notice } from '../page.ts'
import { findSetupLink, spendSetupLink } from '../setup-link.ts'
import { refuseForm, showForm, type ShownForm } from '../shown-form.ts'
import { adminTexts } from '../texts.ts'
import { startSession } from './sign-in.ts'

const MAX_TOKEN = 100
const MAX_NAME = 64

export function setupRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/setup', { config: { access: 'public' } }, async (request, reply) => {
    const token = queryText(request.query, 'token', MAX_TOKEN) ?? ''
    await findSetupLink(deps.store, token, deps.clock())
    return showSetup(request, reply, deps, { token, form: showForm() })
  })
  app.post('/setup', { config: { access: 'public' } }, async (request, reply) => {
    const form = new FormReader(request.body, adminTexts(request.locale))
    const token = form.text('token', MAX_TOKEN)
    try {
      const name = form.needed('name', MAX_NAME)
      const password = form.raw('password', MAX_PASSWORD)
      if (form.raw('repeat', MAX_PASSWORD) !== password)
        form.fail('repeat', adminTexts(request.locale)('password.differ'))
      form.end()
      const user = await spendSetupLink(deps.store, { token, name, password, now: deps.clock() })
      await startSession(request, reply, deps, user)
    } catch (error) {
      const isDead = error instanceof PreauError && error.status === 410
      if (isDead) throw error
      return showSetup(request, reply, deps, { token, ...refuseForm(request, reply, error) })
    }
    return reply.redirect('/', 303)
  })
}

interface SetupPage {
  readonly token: string
  readonly form: ShownForm
  readonly notice?: Notice
}

function showSetup(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  { token, form, notice }: SetupPage,
): Promise<FastifyReply> {
  return renderPage(request, reply, deps, {
    view: 'setup',
    title: adminTexts(request.locale)('setup.title'),
    notice,
    formToken: giveFormToken(request, reply),
    data: { token, form, minPassword: MIN_PASSWORD, maxPassword: MAX_PASSWORD },
  })
}
