/** The first page: the pending requests, their live list, and the note that they were really seen. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import type { PolicyDocument } from '../../policy/policy-document.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText, textField } from '../form.ts'
import { decisionNotice } from '../decision-notice.ts'
import { healthWarnings } from '../health-warnings.ts'
import { readListState } from '../list-state.ts'
import { viewStrip } from '../list-strip.ts'
import { frame, readPolicy, renderPage, wordingFor } from '../page.ts'
import { viewRequest } from '../request-view.ts'
import { markSeen } from '../seen.ts'
import { readSession, shownSession } from '../session.ts'

const PAGE = 100
const MAX_SEEN = 50

export function pendingRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock, live } = deps
  app.get('/', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const data = await pendingList(request, deps, policy)
    const undo = await decisionNotice(request, deps, policy)
    const page = {
      view: 'pending',
      title: data.words.t('pending.title'),
      nav: 'nav.pending',
    } as const
    return renderPage(request, reply, deps, { ...page, data: { ...data, undo } }, policy)
  })
  const forScripts = { access: 'session', isForScripts: true } as const
  app.get('/requests/pending', { config: forScripts }, async (request, reply) => {
    const policy = await readPolicy(store)
    const data = await pendingList(request, deps, policy)
    return reply.view('pending-live', frame(request, deps, { title: '', data }, policy))
  })
  app.get('/events', { config: forScripts }, (request, reply) => {
    if (request.who === null) throw new PreauError('PREAU_SIGN_IN_NEEDED')
    const shown = shownSession(request)
    const isWelcome = async () => (await readSession(store, shown, clock())) !== null
    live.open({ reply, sessionId: request.who.sessionId, isWelcome })
  })
  const forDsi = { access: 'dsi', isForScripts: true } as const
  app.post('/requests/seen', { config: forDsi }, async (request, reply) => {
    const ids = textField(request.body, 'ids', MAX_SEEN * 64).split(',')
    if (ids.length > MAX_SEEN) {
      throw new PreauError('PREAU_INVALID_INPUT', { field: 'ids', detail: `max ${MAX_SEEN}` })
    }
    await markSeen(deps, request.who?.user.name ?? '', ids)
    return reply.code(204).send()
  })
}

async function pendingList(
  request: FastifyRequest,
  deps: RouteDeps,
  policy: PolicyDocument | undefined,
) {
  const { store, catalogue, proxyAddress, caFingerprint } = deps
  const before = queryText(request.query, 'before')
  const query = { facet: 'pending', limit: PAGE }
  const requests = await store.list('request', before === undefined ? query : { ...query, before })
  // Counted apart only when they are not all here, so that the number and the rows agree.
  const isAll = before === undefined && requests.length < PAGE
  const count = isAll ? requests.length : await store.count('request', 'pending')
  const words = wordingFor(request, deps, policy)
  return {
    words,
    strip: viewStrip(await readListState(deps), words, healthWarnings(deps.health.latest, words)),
    rows: requests.map(row => viewRequest(row, catalogue, words)),
    count,
    heading: count === 0 ? words.t('pending.count.0') : words.count('pending.count', count),
    isFirstPage: before === undefined,
    older: requests.length === PAGE ? requests.at(-1)?.id : undefined,
    proxyAddress,
    caFingerprint,
  }
}
