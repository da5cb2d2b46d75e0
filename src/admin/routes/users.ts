/** The accounts: who may come in, and who decides. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { MAX_PASSWORD, MIN_PASSWORD, ROLES } from '../../policy/account.ts'
import { addUser, listUsers, setDisabled, setPassword, setRole, userId } from '../accounts.ts'
import type { RouteDeps } from '../deps.ts'
import { choicesIn } from '../act-place.ts'
import { optionalText, queryText } from '../form.ts'
import { FormReader } from '../form-reader.ts'
import { renderPage, type Notice, wordingFor } from '../page.ts'
import { paged, queryOf, ROWS } from '../paging.ts'
import { searchFor } from '../search.ts'
import { refuseForm, showForm, type ShownForm } from '../shown-form.ts'
import { isAdminText } from '../texts.ts'

const MAX_NAME = 64
const CHOICES = ['q', 'page'] as const
type WithName = { Params: { name: string } }

export function userRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock } = deps
  const config = { access: 'dsi' } as const
  const actOf = (request: FastifyRequest) => ({ by: request.who?.user.name ?? '', now: clock() })
  /** Does the work, then goes back to the list, which says what was done; what is wrong stands in the form itself. */
  const finish = async (
    request: FastifyRequest,
    reply: FastifyReply,
    { done, form }: { readonly done: string; readonly form: string },
    work: (form: FormReader) => Promise<unknown>,
  ): Promise<FastifyReply> => {
    try {
      await work(new FormReader(request.body, wordingFor(request, deps, undefined).t))
    } catch (error) {
      return showUsers(request, reply, deps, refuseForm(request, reply, error, form))
    }
    if (form === 'add') return reply.redirect('/users?done=add', 303)
    return reply.redirect(placeOfUser(request, done, form), 303)
  }

  app.get('/users', { config: { access: 'session' } }, (request, reply) => {
    const key = `users.done.${queryText(request.query, 'done') ?? ''}`
    const { t } = wordingFor(request, deps, undefined)
    const notice = isAdminText(key) ? ({ kind: 'done', text: t(key) } as const) : undefined
    return showUsers(request, reply, deps, { notice })
  })
  app.post('/users', { config }, (request, reply) =>
    finish(request, reply, { done: 'add', form: 'add' }, form => {
      const name = form.needed('name', MAX_NAME)
      const role = form.choice('role', ROLES)
      const password = form.raw('password', MAX_PASSWORD)
      form.end()
      return addUser(store, { name, role, password, ...actOf(request) })
    }),
  )
  app.post<WithName>('/users/:name/role', { config }, (request, reply) =>
    finish(request, reply, { done: 'role', form: request.params.name }, form => {
      const role = form.choice('role', ROLES)
      form.end()
      return setRole(store, request.params.name, role, actOf(request))
    }),
  )
  app.post<WithName>('/users/:name/state', { config }, (request, reply) =>
    finish(request, reply, { done: 'state', form: request.params.name }, form => {
      const state = form.choice('state', ['enabled', 'disabled'])
      form.end()
      return setDisabled(store, request.params.name, state === 'disabled', actOf(request))
    }),
  )
  app.post<WithName>('/users/:name/password', { config }, (request, reply) =>
    finish(request, reply, { done: 'password', form: request.params.name }, form => {
      // One's own password asks for the current one (/account): an open session must not be enough to keep the account.
      if (userId(request.params.name) === request.who?.userId)
        throw new PreauError('PREAU_FORBIDDEN')
      const password = form.raw('password', MAX_PASSWORD)
      form.end()
      return setPassword(store, { name: request.params.name, password, ...actOf(request) })
    }),
  )
}

/** The same page of the list, at the row of the account. */
function placeOfUser({ body }: FastifyRequest, done: string, name: string): string {
  const from = Object.fromEntries(new URLSearchParams(optionalText(body, 'from') ?? ''))
  const id = userId(name)
  return `/users${queryOf({ ...choicesIn(from, CHOICES), done, name: id })}#u-${encodeURIComponent(id)}`
}

interface UserPage {
  readonly notice: Notice | undefined
  /** One that was refused: that of an account by its id, or the one that adds. */
  readonly form?: ShownForm
}

async function showUsers(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  { notice, form }: UserPage,
): Promise<FastifyReply> {
  const words = wordingFor(request, deps, undefined)
  const users = await listUsers(deps.store)
  const fresh = showForm()
  const formOf = (id: string): ShownForm => (form?.id === id ? form : fresh)
  const choices = choicesIn(request.query, CHOICES)
  const isFound = searchFor(choices.q ?? '')
  const rows = users
    .map(({ id, body }) => ({
      id,
      form: formOf(id),
      name: body.name,
      role: body.role,
      isDisabled: body.disabled ?? false,
      isSelf: id === request.who?.userId,
      since: words.moment(body.at),
    }))
    .filter(({ name, role }) => isFound([name, words.t(`role.${role}`)]))
    .toSorted((a, b) => a.name.localeCompare(b.name, request.locale))
  // What was refused stands in its form: the page shows the one with it.
  const refused = form === undefined ? -1 : rows.findIndex(({ id }) => id === form.id)
  const asked = refused === -1 ? choices.page : String(Math.floor(refused / ROWS) + 1)
  const data = {
    list: paged(rows, asked, { q: choices.q }),
    choices,
    count: users.length,
    from: queryOf(choices),
    // Roles and states have two values: the way back is the other one.
    undo: { done: queryText(request.query, 'done'), name: queryText(request.query, 'name') },
    form: formOf('add'),
    minPassword: MIN_PASSWORD,
    maxPassword: MAX_PASSWORD,
  }
  const title = words.t('users.title')
  return renderPage(request, reply, deps, { view: 'users', title, nav: 'nav.users', notice, data })
}
