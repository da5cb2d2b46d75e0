/** The one-time page that creates the first account: GET shows it, POST spends the link. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { MAX_PASSWORD, MIN_PASSWORD } from '../../policy/account.ts'
import { giveFormToken } from '../csrf.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText, rawField, textField } from '../form.ts'
import { renderPage } from '../page.ts'
import { findSetupLink, spendSetupLink } from '../setup-link.ts'
import { adminTexts } from '../texts.ts'
import { startSession } from './sign-in.ts'

const MAX_TOKEN = 100
const MAX_NAME = 128

export function setupRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/setup', { config: { access: 'public' } }, async (request, reply) => {
    const token = queryText(request.query, 'token', MAX_TOKEN) ?? ''
    await findSetupLink(deps.store, token)
    return showForm(request, reply, deps, { token })
  })
  app.post('/setup', { config: { access: 'public' } }, async (request, reply) => {
    const token = textField(request.body, 'token', MAX_TOKEN)
    const name = textField(request.body, 'name', MAX_NAME)
    const password = rawField(request.body, 'password', MAX_PASSWORD * 2)
    if (rawField(request.body, 'repeat', MAX_PASSWORD * 2) !== password) {
      const problem = adminTexts(request.locale)('password.differ')
      reply.code(400)
      return showForm(request, reply, deps, { token, name, problem })
    }
    try {
      const user = await spendSetupLink(deps.store, { token, name, password, now: deps.clock() })
      await startSession(request, reply, deps, user)
      return await reply.redirect('/', 303)
    } catch (error) {
      if (!(error instanceof PreauError) || error.status !== 400) throw error
      reply.code(400)
      return showForm(request, reply, deps, { token, name, problem: error.text(request.locale) })
    }
  })
}

interface FormState {
  readonly token: string
  readonly name?: string
  readonly problem?: string
}

function showForm(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  { token, name = '', problem }: FormState,
): Promise<FastifyReply> {
  return renderPage(request, reply, deps, {
    view: 'setup',
    title: adminTexts(request.locale)('setup.title'),
    notice: problem === undefined ? undefined : { kind: 'problem', text: problem },
    formToken: giveFormToken(request, reply),
    data: { token, name, minPassword: MIN_PASSWORD },
  })
}
