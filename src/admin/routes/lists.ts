/** The page of the lists in force, the progress of work on them, and going back to the version before. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, hasCode, PreauError } from '../../errors.ts'
import { CURRENT } from '../../policy/document.ts'
import { activate, rollBack } from '../../policy/lists.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText, textField } from '../form.ts'
import { sayWhoWasFaster, showLists } from '../list-page.ts'
import { viewWork } from '../list-work.ts'
import { frame, readPolicy, wordingFor } from '../page.ts'
import { isAdminText } from '../texts.ts'

const MAX_ID = 100
/** What says that the page was no longer true when the button was pressed. */
const OVERTAKEN: readonly ErrorCode[] = [
  'PREAU_CONFLICT',
  'PREAU_NO_CANDIDATE',
  'PREAU_CANDIDATE_STALE',
  'PREAU_NO_PREVIOUS_LISTS',
]

export function listRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store } = deps
  app.get('/lists', { config: { access: 'session' } }, (request, reply) => {
    const key = `lists.done.${queryText(request.query, 'done') ?? ''}`
    const { t } = wordingFor(request, deps, undefined)
    const notice = isAdminText(key) ? ({ kind: 'done', text: t(key) } as const) : undefined
    return showLists(request, reply, deps, notice)
  })
  const forScripts = { access: 'session', isForScripts: true } as const
  app.get('/lists/work', { config: forScripts }, async (request, reply) => {
    const policy = await readPolicy(store)
    const data = { working: viewWork(deps.work.current, wordingFor(request, deps, policy)) }
    return reply.view('list-work', frame(request, deps, { title: '', data }, policy))
  })
  const config = { access: 'dsi' } as const
  app.post('/lists/activate', { config }, (request, reply) =>
    settle(request, reply, deps, 'activate', activateCandidate),
  )
  app.post('/lists/discard', { config }, (request, reply) =>
    settle(request, reply, deps, 'discard', discardCandidate),
  )
  app.post('/lists/rollback', { config }, (request, reply) =>
    settle(request, reply, deps, 'rollback', goBack),
  )
}

/** Does it, and leads to the page that says so; who comes second reads who was first, and nothing is changed. */
async function settle(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  done: string,
  act: (request: FastifyRequest, deps: RouteDeps) => Promise<void>,
): Promise<FastifyReply> {
  try {
    await act(request, deps)
  } catch (error) {
    if (!hasCode(error, ...OVERTAKEN)) throw error
    const words = wordingFor(request, deps, await readPolicy(deps.store))
    reply.code(409)
    const text = await sayWhoWasFaster(deps, words)
    return showLists(request, reply, deps, { kind: 'problem', text })
  }
  return reply.redirect(`/lists?done=${done}`, 303)
}

const nameOf = ({ who }: FastifyRequest): string => who?.user.name ?? ''

/** The candidate that the page showed. Throws PREAU_NO_CANDIDATE when it is no longer there. */
async function readCandidate(request: FastifyRequest, { store }: RouteDeps) {
  const shown = textField(request.body, 'candidate', MAX_ID)
  const row = await store.get('candidate', CURRENT)
  if (row?.body.version.id !== shown) throw new PreauError('PREAU_NO_CANDIDATE')
  return row
}

async function activateCandidate(request: FastifyRequest, deps: RouteDeps): Promise<void> {
  const { store, clock } = deps
  const candidate = await readCandidate(request, deps)
  const lists = await store.get('lists', CURRENT)
  if (lists === undefined) throw new PreauError('PREAU_CANDIDATE_STALE')
  const by = nameOf(request)
  const at = clock()
  const body = activate(lists.body, candidate.body, by, at)
  const { list, rehearsal } = candidate.body
  const detail = { hosts: body.hosts, closes: rehearsal.closes, opens: rehearsal.opens }
  await store.commit({ by, action: 'lists.activate', subject: list, detail, at }, [
    { kind: 'lists', id: CURRENT, expects: lists.version, body },
    { kind: 'candidate', id: CURRENT, expects: candidate.version, body: null },
  ])
}

async function discardCandidate(request: FastifyRequest, deps: RouteDeps): Promise<void> {
  const { body, version } = await readCandidate(request, deps)
  const note = { by: nameOf(request), action: 'lists.discard', subject: body.list }
  await deps.store.commit({ ...note, at: deps.clock() }, [
    { kind: 'candidate', id: CURRENT, expects: version, body: null },
  ])
}

/** An update that waits was tried against the version that goes: it goes too. */
async function goBack(request: FastifyRequest, { store, clock }: RouteDeps): Promise<void> {
  const shown = textField(request.body, 'version', MAX_ID)
  const [lists, candidate] = await Promise.all([
    store.get('lists', CURRENT),
    store.get('candidate', CURRENT),
  ])
  if (lists?.body.id !== shown) throw new PreauError('PREAU_NO_PREVIOUS_LISTS')
  const by = nameOf(request)
  const at = clock()
  const body = rollBack(lists.body, by, at)
  const detail = { hosts: body.hosts }
  await store.commit({ by, action: 'lists.rollback', detail, at }, [
    { kind: 'lists', id: CURRENT, expects: lists.version, body },
    ...(candidate === undefined
      ? []
      : [{ kind: 'candidate', id: CURRENT, expects: candidate.version, body: null } as const]),
  ])
}
