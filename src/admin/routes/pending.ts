/** The first page: the pending requests, their live list, and the note that they were really seen. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import type { PolicyDocument } from '../../policy/policy-document.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText, textField } from '../form.ts'
import { CURRENT } from '../../policy/document.ts'
import { certificateWarnings } from '../certificate-view.ts'
import { actOf, viewListRow } from '../decision-notice.ts'
import { healthWarnings } from '../health-warnings.ts'
import { readListState } from '../list-state.ts'
import { viewStrip } from '../list-strip.ts'
import { frame, readPolicy, renderPage, wordingFor } from '../page.ts'
import { markSeen } from '../seen.ts'
import { readSession, shownSession } from '../session.ts'

const PAGE = 100
const MAX_IDS = 50

export function pendingRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock, live } = deps
  app.get('/', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const data = await pendingList(request, deps, policy)
    const page = {
      view: 'pending',
      title: data.words.t('pending.title'),
      nav: 'nav.pending',
    } as const
    return renderPage(request, reply, deps, { ...page, data }, policy)
  })
  const forScripts = { access: 'session', isForScripts: true } as const
  app.get('/requests/pending', { config: forScripts }, async (request, reply) => {
    const policy = await readPolicy(store)
    const data = await pendingList(request, deps, policy)
    return reply.view('pending-live', frame(request, deps, { title: '', data }, policy))
  })
  app.get('/requests/rows', { config: forScripts }, async (request, reply) => {
    const ids = listedIds(queryText(request.query, 'ids', MAX_IDS * 64) ?? '')
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const found = await Promise.all(ids.map(id => store.get('request', id)))
    const known = found.filter(row => row !== undefined)
    const rows = await Promise.all(known.map(row => viewListRow(request, deps, row, words)))
    return reply.view('pending-rows', frame(request, deps, { title: '', data: { rows } }, policy))
  })
  app.get('/events', { config: forScripts }, (request, reply) => {
    if (request.who === null) throw new PreauError('PREAU_SIGN_IN_NEEDED')
    const shown = shownSession(request)
    const isWelcome = async () => (await readSession(store, shown, clock())) !== null
    live.open({ reply, sessionId: request.who.sessionId, isWelcome })
  })
  const forDsi = { access: 'dsi', isForScripts: true } as const
  app.post('/requests/seen', { config: forDsi }, async (request, reply) => {
    const ids = listedIds(textField(request.body, 'ids', MAX_IDS * 64))
    await markSeen(deps, request.who?.user.name ?? '', ids)
    return reply.code(204).send()
  })
}

function listedIds(text: string): string[] {
  const ids = text.split(',')
  if (ids.length <= MAX_IDS) return ids
  throw new PreauError('PREAU_INVALID_INPUT', { field: 'ids', detail: `max ${MAX_IDS}` })
}

async function pendingList(
  request: FastifyRequest,
  deps: RouteDeps,
  policy: PolicyDocument | undefined,
) {
  const { store, proxyAddress, caFingerprint } = deps
  const before = queryText(request.query, 'before')
  const query = { facet: 'pending', limit: PAGE }
  const requests = await store.list('request', before === undefined ? query : { ...query, before })
  // Counted apart only when they are not all here, so that the number and the rows agree.
  const isAll = before === undefined && requests.length < PAGE
  const count = isAll ? requests.length : await store.count('request', 'pending')
  const words = wordingFor(request, deps, policy)
  const act = await actOf(request, deps)
  const installation = await store.get('installation', CURRENT)
  const isHere = act !== undefined && !act.isUndone && isOnPage(act.row.id, before, requests)
  const shown = isHere
    ? [...requests, act.row].toSorted((a, b) => (a.id < b.id ? 1 : -1))
    : requests
  return {
    words,
    strip: viewStrip(await readListState(deps), words, [
      ...healthWarnings(deps.health.latest, words),
      ...certificateWarnings(installation?.body, policy?.city.name ?? '', words),
    ]),
    rows: await Promise.all(shown.map(row => viewListRow(request, deps, row, words))),
    act: act && {
      id: act.row.id,
      isUndone: act.isUndone,
      host: act.row.body.host,
      row: isHere || act.isUndone ? undefined : await viewListRow(request, deps, act.row, words),
    },
    // Rows have moved under the pointer of whoever has no script: a click on this page says when it was shown.
    shownAt: act && deps.clock(),
    before,
    count,
    heading: count === 0 ? words.t('pending.count.0') : words.count('pending.count', count),
    isFirstPage: before === undefined,
    older: requests.length === PAGE ? requests.at(-1)?.id : undefined,
    proxyAddress,
    caFingerprint: caFingerprint(),
  }
}

/** Whether a row belongs between the first and the last one of a page. */
function isOnPage(
  id: string,
  before: string | undefined,
  rows: readonly { readonly id: string }[],
): boolean {
  const last = rows.length === PAGE ? (rows.at(-1)?.id ?? '') : ''
  return id > last && (before === undefined || id < before)
}
