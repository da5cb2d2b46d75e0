/** The sources of the lists: added, changed, switched off, removed, and fetched at once. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import type { RouteDeps } from '../deps.ts'
import { liveClaim } from '../../policy/list-source.ts'
import { queryText } from '../form.ts'
import { readListState } from '../list-state.ts'
import { listLabel } from '../list-wording.ts'
import { wordingFor } from '../page.ts'
import {
  addKnown,
  addTyped,
  changeSource,
  removeSource,
  restoreSource,
  switchSource,
  type SourceAct,
} from '../source-acts.ts'
import { refuseForm } from '../shown-form.ts'
import { showSources } from '../source-page.ts'
import { isQuietHour } from '../source-view.ts'
import { isAdminText } from '../texts.ts'

type WithName = { Params: { name?: string } }

export function sourceRoutes(app: FastifyInstance, deps: RouteDeps): void {
  app.get('/lists/sources', { config: { access: 'session' } }, (request, reply) => {
    const key = `sources.done.${queryText(request.query, 'done') ?? ''}`
    const { t } = wordingFor(request, deps, undefined)
    const notice = isAdminText(key) ? ({ kind: 'done', text: t(key) } as const) : undefined
    return showSources(request, reply, deps, { notice })
  })
  const config = { access: 'dsi' } as const
  const on = (path: string, done: string, act: SourceAct) =>
    app.post<WithName>(path, { config }, (request, reply) =>
      finish(request, reply, deps, { done, act, name: request.params.name ?? '' }),
    )
  on('/lists/sources', 'add', addTyped)
  on('/lists/sources/known', 'known', addKnown)
  on('/lists/sources/:name', 'change', changeSource)
  on('/lists/sources/:name/state', 'state', switchSource)
  on('/lists/sources/:name/remove', 'remove', removeSource)
  on('/lists/sources/:name/restore', 'restore', restoreSource)
  app.post<WithName>('/lists/sources/:name/fetch', { config }, (request, reply) =>
    fetchNow(request, reply, deps),
  )
}

/** Does it and goes back to the page, which says what was done; what is wrong is said there too, with what was typed. */
async function finish(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  { done, act, name }: { done: string; act: SourceAct; name: string },
): Promise<FastifyReply> {
  const { t } = wordingFor(request, deps, undefined)
  const { body, who } = request
  try {
    await act(deps, { name, by: who?.user.name ?? '', body, t })
  } catch (error) {
    return showSources(request, reply, deps, refuseForm(request, reply, error, name))
  }
  const of = encodeURIComponent(name)
  const place = name === '' ? '' : `&name=${of}#s-${of}`
  return reply.redirect(`/lists/sources?done=${done}${place}`, 303)
}

/** Asks once more at the hours when the source wants to be left alone; one piece of work at a time. */
async function fetchNow(
  request: FastifyRequest<WithName>,
  reply: FastifyReply,
  deps: RouteDeps,
): Promise<FastifyReply> {
  const { work, clock } = deps
  const { sources, statuses } = await readListState(deps)
  const source = sources.find(({ name }) => name === request.params.name)
  if (source === undefined) throw new PreauError('PREAU_NOT_FOUND')
  const isSure = isAnyway(request.body)
  if (!isSure && isQuietHour(source.url, clock())) {
    reply.code(409)
    return showSources(request, reply, deps, { asked: source.name })
  }
  const claim = liveClaim(statuses.get(source.name), clock())
  if (claim !== undefined && work.current === undefined) {
    const { name } = source
    const error = new PreauError('PREAU_FETCH_ELSEWHERE', { name, machine: claim.machine })
    reply.code(error.status)
    const notice = { kind: 'problem', text: error.text(request.locale) } as const
    return showSources(request, reply, deps, { notice })
  }
  if (work.fetch(source.name, request.who?.user.name ?? '')) {
    return reply.redirect('/lists/sources?done=fetch', 303)
  }
  const words = wordingFor(request, deps, undefined)
  const list = listLabel(work.current?.list ?? source.name, words)
  reply.code(409)
  const notice = { kind: 'problem', text: words.t('sources.busy', { list }) } as const
  return showSources(request, reply, deps, { notice })
}

const isAnyway = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && Reflect.get(body, 'anyway') === 'yes'
