/** One request with all its facts, and the list of those that are decided. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { isInForce, type Grant } from '../../policy/grant.ts'
import type { PolicyDocument } from '../../policy/policy-document.ts'
import { MAX_ASKERS, type UnblockRequest } from '../../policy/unblock-request.ts'
import type { Stored } from '../../store/store.ts'
import { choicesIn } from '../act-place.ts'
import { listDecided, OUTCOMES } from '../decided-list.ts'
import type { RouteDeps } from '../deps.ts'
import { listAll } from '../list-all.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import { queryOf } from '../paging.ts'
import { viewRequest } from '../request-view.ts'
import { searchFor } from '../search.ts'
import { markSeen } from '../seen.ts'
import type { Wording } from '../wording.ts'

/** How much of the history of a host is shown, and how much is read for it: passed warnings stand among its grants. */
const HISTORY_SHOWN = 10
const HISTORY_DEPTH = 500
const CLOSED_SHOWN = 5

export function requestRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, catalogue } = deps
  app.get('/requests', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const choices = choicesIn(request.query, ['q', 'outcome', 'before'])
    const { q, before } = choices
    const outcome = OUTCOMES.find(one => one === choices.outcome)
    const isWanted = q === undefined ? undefined : shownAs(q, deps, words)
    const { rows, older, isCut } = await listDecided(store, { before, outcome, isWanted })
    const data = {
      rows: rows.map(row => viewDecided(row, deps, words)),
      older: older && queryOf({ ...choices, before: older }),
      newest: before && queryOf({ ...choices, before: undefined }),
      isCut,
      choices,
      isChosen: q !== undefined || outcome !== undefined,
    }
    const page = { view: 'decided', title: words.t('decided.title'), nav: 'nav.decided' } as const
    return renderPage(request, reply, deps, { ...page, data }, policy)
  })
  app.get<{ Params: { id: string } }>(
    '/requests/:id',
    { config: { access: 'session' } },
    async (request, reply) => {
      const row = await readSeen(request, deps)
      const policy = await readPolicy(store)
      const words = wordingFor(request, deps, policy)
      const view = viewRequest(row, catalogue, words)
      const title = words.t('request.title', { host: view.host, site: view.school })
      const data = {
        row: view,
        decision: describeDecision(row, words),
        askers: row.body.askers.map(asker => ({ ...asker, when: words.moment(asker.at) })),
        maxAskers: MAX_ASKERS,
        closedBelow: closedBelow(row.body, policy),
        history: await readHistory(deps, row, words),
      }
      return renderPage(
        request,
        reply,
        deps,
        { view: 'request', title, nav: 'nav.pending', data },
        policy,
      )
    },
  )
}

/** Whoever decides and opens the page of a request has seen it; where that cannot be written, it is read all the same. */
async function readSeen(
  request: FastifyRequest<{ Params: { id: string } }>,
  deps: RouteDeps,
): Promise<Stored<'request'>> {
  const { id } = request.params
  const { user } = request.who ?? {}
  // A browser that fetches ahead has no reader yet.
  const isAhead = request.headers['sec-purpose']?.includes('prefetch') ?? false
  if (user?.role === 'dsi' && !isAhead) await markSeen(deps, user.name, [id]).catch(() => undefined)
  const row = await deps.store.get('request', id)
  if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
  return row
}

function viewDecided(row: Stored<'request'>, { catalogue }: RouteDeps, words: Wording) {
  return { ...viewRequest(row, catalogue, words), decision: describeDecision(row, words) }
}

/** Finds decided requests by what their rows show. */
function shownAs(
  query: string,
  deps: RouteDeps,
  words: Wording,
): (row: Stored<'request'>) => boolean {
  const isFound = searchFor(query)
  return row => {
    const { host, place, category, decision } = viewDecided(row, deps, words)
    return isFound([host, place, category?.label, decision?.by, decision?.reason])
  }
}

function describeDecision({ body: { decision } }: Stored<'request'>, words: Wording) {
  if (decision === undefined) return undefined
  return {
    outcome: decision.outcome,
    by: decision.by,
    when: words.moment(decision.at),
    reason: decision.outcome === 'refused' ? decision.reason : undefined,
    note: decision.note,
  }
}

/** How a grant ended, when it did: by its time (`system` files it away), or by a person. */
function endOf(grant: Grant, { t }: Wording, now: number): string | undefined {
  if (isInForce(grant, now)) return undefined
  const { endedBy } = grant
  return endedBy === undefined || endedBy === 'system'
    ? t('grants.over')
    : t('grants.closedBy', { by: endedBy })
}

async function readHistory(
  { store, catalogue, clock }: RouteDeps,
  own: Stored<'request'>,
  words: Wording,
) {
  const { host, decision } = own.body
  const facet = `host:${host}`
  const [requests, grants] = await Promise.all([
    store.list('request', { facet, limit: HISTORY_SHOWN + 2 }),
    listAll(store, 'grant', { facet }, HISTORY_DEPTH),
  ])
  const others = requests.filter(({ id }) => id !== own.id)
  const same = grants.filter(({ body }) => body.origin === 'approved')
  const shown = same.slice(0, HISTORY_SHOWN).map(({ id, body }) => ({
    isOwn: decision?.outcome === 'approved' && decision.grant === id,
    scope: words.scope(body.scope),
    by: body.by,
    when: words.moment(body.at),
    until: words.until(body.until),
    isInForce: isInForce(body, clock()),
    end: endOf(body, words, clock()),
  }))
  return {
    isMore: others.length > HISTORY_SHOWN,
    grants: shown,
    requests: others.slice(0, HISTORY_SHOWN).map(row => ({
      ...viewRequest(row, catalogue, words),
      decision: describeDecision(row, words),
    })),
  }
}

/** Hosts below the one that is asked for, which the city's rules close for its school by names of their own. */
function closedBelow(
  { host, site }: UnblockRequest,
  policy: PolicyDocument | undefined,
): readonly string[] {
  const rules = policy?.rules ?? []
  return rules
    .filter(rule => rule.action === 'block' && (rule.site === undefined || rule.site === site))
    .filter(rule => rule.host.endsWith(`.${host}`))
    .slice(0, CLOSED_SHOWN)
    .map(rule => rule.host)
}
