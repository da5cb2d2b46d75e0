/** The accounts: who may come in, and who decides. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { MAX_PASSWORD, MIN_PASSWORD, ROLES } from '../../policy/account.ts'
import { addUser, listUsers, setDisabled, setPassword, setRole, userId } from '../accounts.ts'
import type { RouteDeps } from '../deps.ts'
import { choiceField, queryText, rawField, textField } from '../form.ts'
import { renderPage, type Notice, wordingFor } from '../page.ts'
import { isAdminText } from '../texts.ts'

const MAX_NAME = 128
type WithName = { Params: { name: string } }

export function userRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock } = deps
  const config = { access: 'dsi' } as const
  const actOf = (request: FastifyRequest) => ({ by: request.who?.user.name ?? '', now: clock() })
  /** Does the work, then goes back to the list, which says what was done or what is wrong. */
  const finish = async (
    request: FastifyRequest,
    reply: FastifyReply,
    done: string,
    work: () => Promise<unknown>,
  ): Promise<FastifyReply> => {
    try {
      await work()
    } catch (error) {
      const isForPeople = error instanceof PreauError && error.status < 500
      if (!isForPeople || error.code === 'PREAU_USER_UNKNOWN') throw error
      reply.code(error.status)
      return showUsers(request, reply, deps, { kind: 'problem', text: error.text(request.locale) })
    }
    return reply.redirect(`/users?done=${done}`, 303)
  }

  app.get('/users', { config: { access: 'session' } }, (request, reply) => {
    const key = `users.done.${queryText(request.query, 'done') ?? ''}`
    const { t } = wordingFor(request, deps, undefined)
    const notice = isAdminText(key) ? ({ kind: 'done', text: t(key) } as const) : undefined
    return showUsers(request, reply, deps, notice)
  })
  app.post('/users', { config }, (request, reply) =>
    finish(request, reply, 'add', () => {
      const name = textField(request.body, 'name', MAX_NAME)
      const role = choiceField(request.body, 'role', ROLES)
      const password = rawField(request.body, 'password', MAX_PASSWORD * 2)
      return addUser(store, { name, role, password, ...actOf(request) })
    }),
  )
  app.post<WithName>('/users/:name/role', { config }, (request, reply) =>
    finish(request, reply, 'role', () => {
      const role = choiceField(request.body, 'role', ROLES)
      return setRole(store, request.params.name, role, actOf(request))
    }),
  )
  app.post<WithName>('/users/:name/state', { config }, (request, reply) =>
    finish(request, reply, 'state', () => {
      const state = choiceField(request.body, 'state', ['enabled', 'disabled'])
      return setDisabled(store, request.params.name, state === 'disabled', actOf(request))
    }),
  )
  app.post<WithName>('/users/:name/password', { config }, (request, reply) =>
    finish(request, reply, 'password', () => {
      // One's own password asks for the current one (/account): an open session must not be enough to keep the account.
      if (userId(request.params.name) === request.who?.userId)
        throw new PreauError('PREAU_FORBIDDEN')
      const password = rawField(request.body, 'password', MAX_PASSWORD * 2)
      return setPassword(store, { name: request.params.name, password, ...actOf(request) })
    }),
  )
}

async function showUsers(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  notice: Notice | undefined,
): Promise<FastifyReply> {
  const words = wordingFor(request, deps, undefined)
  const users = await listUsers(deps.store)
  const rows = users
    .map(({ id, body }) => ({
      id,
      name: body.name,
      role: body.role,
      isDisabled: body.disabled ?? false,
      isSelf: id === request.who?.userId,
      since: words.moment(body.at),
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name, request.locale))
  const data = { rows, minPassword: MIN_PASSWORD, maxPassword: MAX_PASSWORD }
  const title = words.t('users.title')
  return renderPage(request, reply, deps, { view: 'users', title, nav: 'nav.users', notice, data })
}
