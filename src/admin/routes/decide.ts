/** Deciding: approve, refuse, and taking the decision back. Both a plain form and our script may send them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomUUIDv7 } from 'node:crypto'
import { PreauError } from '../../errors.ts'
import { DURATIONS, SCOPE_KINDS } from '../../policy/grant.ts'
import { approve, latestKeyOf, MAX_REASON, refuse } from '../../policy/unblock-request.ts'
import type { Stored } from '../../store/store.ts'
import { wantsJson } from '../access.ts'
import { againOnConflict } from '../again-on-conflict.ts'
import { alreadyDecided } from '../already-decided.ts'
import { decisionText } from '../decision-notice.ts'
import type { RouteDeps } from '../deps.ts'
import { choiceField, textField } from '../form.ts'
import { readPolicy, wordingFor } from '../page.ts'
import { scopesFor } from '../request-view.ts'
import { undoDecision } from '../undo.ts'

const MINUTE_MS = 60_000

type WithId = { Params: { id: string } }

export function decideRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const config = { access: 'dsi' } as const
  app.post<WithId>('/requests/:id/approve', { config }, async (request, reply) => {
    await decideOn(request, deps, approveRequest)
    return tellDecision(request, reply, deps)
  })
  app.post<WithId>('/requests/:id/refuse', { config }, async (request, reply) => {
    await decideOn(request, deps, refuseRequest)
    return tellDecision(request, reply, deps)
  })
  app.post<WithId>('/requests/:id/undo', { config }, async (request, reply) => {
    const { host } = await undoRequest(request, deps)
    const { t } = wordingFor(request, deps, undefined)
    return wantsJson(request)
      ? reply.send({ text: t('decide.undone', { host }) })
      : reply.redirect('/', 303)
  })
}

async function readRequest({ store }: RouteDeps, id: string): Promise<Stored<'request'>> {
  const row = await store.get('request', id)
  if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
  return row
}

/**
 * Decides on the request as it stands, and again when it changed meanwhile: a pupil who joins it must not undo the click
 * of the DSI, and of two people who decide, on whichever machines, the slower one reads who was faster and when
 * (PREAU_ALREADY_DECIDED).
 */
async function decideOn(
  request: FastifyRequest<WithId>,
  deps: RouteDeps,
  decide: typeof approveRequest,
): Promise<void> {
  await againOnConflict(async () => {
    const read = (): Promise<Stored<'request'>> => readRequest(deps, request.params.id)
    let row = await read()
    // Whoever reads that it is decided leaves it at that: it must be as safe as a decision of his own.
    if (row.body.decision !== undefined) row = await deps.store.confirmed(read)
    const { decision } = row.body
    if (decision !== undefined) {
      throw alreadyDecided(decision, wordingFor(request, deps, await readPolicy(deps.store)))
    }
    await decide(request, deps, row)
  })
}

async function approveRequest(
  request: FastifyRequest<WithId>,
  deps: RouteDeps,
  row: Stored<'request'>,
): Promise<void> {
  const { store, catalogue, clock } = deps
  const category = catalogue.get(row.body.category ?? '')
  if (category?.severity === 'never') {
    const label = category.label[request.locale]
    throw new PreauError('PREAU_NEVER_GRANTABLE', { category: label })
  }
  const scope = choiceField(request.body, 'scope', SCOPE_KINDS)
  if (!scopesFor(row.body).some(({ kind }) => kind === scope)) {
    throw new PreauError('PREAU_INVALID_INPUT', { field: 'scope', detail: scope })
  }
  const duration = choiceField(request.body, 'duration', DURATIONS)
  const by = nameOf(request)
  const now = clock()
  const timeZone = wordingFor(request, deps, await readPolicy(store)).timeZone
  const grantId = randomUUIDv7()
  const changes = approve(row, { grantId, scope, duration, by, now, timeZone })
  const detail = { scope, duration, requestId: row.id, grantId }
  const note = { by, action: 'request.approve', subject: row.body.host, detail, at: now }
  await store.commit(note, changes)
}

async function refuseRequest(
  request: FastifyRequest<WithId>,
  deps: RouteDeps,
  row: Stored<'request'>,
): Promise<void> {
  const { store, clock, config } = deps
  const reason = textField(request.body, 'reason', MAX_REASON)
  if (reason === '') {
    const field = wordingFor(request, deps, undefined).t('decide.reason')
    throw new PreauError('PREAU_INVALID_INPUT', { field, detail: '…' })
  }
  const by = nameOf(request)
  const now = clock()
  const detail = { reason, requestId: row.id }
  const note = { by, action: 'request.refuse', subject: row.body.host, detail, at: now }
  const againAt = now + config.limits.askAgainMinutes * MINUTE_MS
  await store.commit(note, refuse(row, { by, reason, now, againAt }))
}

function undoRequest(request: FastifyRequest<WithId>, deps: RouteDeps): Promise<{ host: string }> {
  const { store, clock } = deps
  return againOnConflict(async () => {
    const row = await readRequest(deps, request.params.id)
    const { decision, host } = row.body
    const grantId = decision?.outcome === 'approved' ? decision.grant : undefined
    const [grant, latest] = await Promise.all([
      grantId === undefined ? undefined : store.get('grant', grantId),
      store.get('latest', latestKeyOf(row.body)),
    ])
    const by = nameOf(request)
    const now = clock()
    const changes = undoDecision({ request: row, grant, latest, by, now })
    const detail = { outcome: decision?.outcome ?? null, requestId: row.id }
    await store.commit({ by, action: 'request.undo', subject: host, detail, at: now }, changes)
    return { host }
  })
}

const nameOf = ({ who }: FastifyRequest): string => who?.user.name ?? ''

async function tellDecision(
  request: FastifyRequest<WithId>,
  reply: FastifyReply,
  deps: RouteDeps,
): Promise<FastifyReply> {
  const { id } = request.params
  if (!wantsJson(request)) return reply.redirect(`/?done=${encodeURIComponent(id)}`, 303)
  const words = wordingFor(request, deps, await readPolicy(deps.store))
  return reply.send({ id, text: await decisionText(deps, id, words) })
}
