/** Deciding: approve, refuse, and taking the decision back. Both a plain form and our script may send them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomUUIDv7 } from 'node:crypto'
import { PreauError } from '../../errors.ts'
import { DURATIONS, SCOPE_KINDS } from '../../policy/grant.ts'
import type { Decision } from '../../policy/decision.ts'
import { placeOfRequest } from '../../policy/place-detail.ts'
import { approve, latestKeyOf, MAX_REASON, refuse } from '../../policy/unblock-request.ts'
import type { Stored } from '../../store/store.ts'
import { wantsJson } from '../access.ts'
import { againOnConflict } from '../again-on-conflict.ts'
import { alreadyDecided } from '../already-decided.ts'
import { isSameClick, optionalNumber } from '../click.ts'
import { decisionText } from '../decision-notice.ts'
import type { RouteDeps } from '../deps.ts'
import { choiceField, optionalText, textField } from '../form.ts'
import { readPolicy, wordingFor } from '../page.ts'
import { scopesFor } from '../request-view.ts'
import { undoDecision } from '../undo.ts'

const MINUTE_MS = 60_000

type WithId = { Params: { id: string } }

export function decideRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const config = { access: 'dsi' } as const
  for (const [verb, decide] of [
    ['approve', approveRequest],
    ['refuse', refuseRequest],
  ] as const) {
    app.post<WithId>(`/requests/:id/${verb}`, { config }, async (request, reply) => {
      const before = movedAway(request, deps)
      if (before !== undefined) return reply.redirect(before, 303)
      await decideOn(request, deps, decide)
      return tellDecision(request, reply, deps)
    })
  }
  app.post<WithId>('/requests/:id/undo', { config }, async (request, reply) => {
    const before = movedAway(request, deps)
    if (before !== undefined) return reply.redirect(before, 303)
    const { host } = await undoRequest(request, deps)
    const { t } = wordingFor(request, deps, undefined)
    return wantsJson(request)
      ? reply.send({ text: t('decide.undone', { host }) })
      : reply.redirect(placeInList(request.body, 'undone', request.params.id), 303)
  })
}

/** The place in the list that a form without script came from, after an act on a row of it. */
function placeInList(body: unknown, act: 'done' | 'undone', id: string): string {
  const before = optionalText(body, 'before')
  const query = new URLSearchParams({ ...(before === undefined ? {} : { before }), [act]: id })
  return `/?${query.toString()}#r-${encodeURIComponent(id)}`
}

/** Where the page of the form still stands whose click was on its way before it appeared; undefined for any other click. */
function movedAway(request: FastifyRequest<WithId>, { clock }: RouteDeps): string | undefined {
  const { body } = request
  if (!isSameClick(body, clock())) return undefined
  if (wantsJson(request)) throw new PreauError('PREAU_PAGE_CHANGED')
  const [done, undone] = [optionalText(body, 'done'), optionalText(body, 'undone')]
  return placeInList(
    body,
    done === undefined ? 'undone' : 'done',
    done ?? undone ?? request.params.id,
  )
}

async function readRequest({ store }: RouteDeps, id: string): Promise<Stored<'request'>> {
  const row = await store.get('request', id)
  if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
  return row
}

/**
 * Decides on the request as it stands, and again when it changed meanwhile: a pupil who joins it must not undo the click
 * of the DSI, and of two people who decide, on whichever machines, the slower one reads who was faster and when
 * (PREAU_ALREADY_DECIDED). The same person's same decision on the same version is one click, however often it comes; one on
 * a version from before an undo has nothing to say any more (PREAU_PAGE_CHANGED).
 */
async function decideOn(
  request: FastifyRequest<WithId>,
  deps: RouteDeps,
  decide: typeof approveRequest,
): Promise<void> {
  const version = optionalNumber(request.body, 'version')
  await againOnConflict(async () => {
    const read = (): Promise<Stored<'request'>> => readRequest(deps, request.params.id)
    let row = await read()
    // Whoever reads that it is decided leaves it at that: it must be as safe as a decision of his own.
    if (row.body.decision !== undefined) row = await deps.store.confirmed(read)
    const { decision, reopenedAs = 0 } = row.body
    const isOfNow = version !== undefined && version >= reopenedAs
    if (decision !== undefined) {
      if (isOfNow && (await isRepeated(request, deps, decision))) return
      throw alreadyDecided(decision, wordingFor(request, deps, await readPolicy(deps.store)))
    }
    if (version !== undefined && !isOfNow) throw new PreauError('PREAU_PAGE_CHANGED')
    await decide(request, deps, row)
  })
}

/** Whether the form says what this person has decided already. */
async function isRepeated(
  request: FastifyRequest,
  { store }: RouteDeps,
  decision: Decision,
): Promise<boolean> {
  if (decision.by !== nameOf(request)) return false
  if (decision.outcome === 'refused')
    return optionalText(request.body, 'reason') === decision.reason
  const scope = (await store.get('grant', decision.grant))?.body.scope
  return scope !== undefined && optionalText(request.body, 'scope') === scope.kind
}

type Detail = Record<string, boolean>

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
  const noted = noteIn(request.body)
  const isWide = optionalText(request.body, 'narrower') === 'on'
  const changes = approve(row, {
    grantId,
    scope,
    duration,
    by,
    now,
    timeZone,
    ...noted,
    opensNarrower: isWide,
  })
  const place = placeOfRequest(row.body)
  const wide: Detail = isWide ? { opensNarrower: true } : {}
  const detail = { scope, ...place, duration, ...noted, ...wide, requestId: row.id, grantId }
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
    const detail = wordingFor(request, deps, undefined).t('form.needed')
    throw new PreauError('PREAU_INVALID_INPUT', { field, detail })
  }
  const by = nameOf(request)
  const now = clock()
  const noted = noteIn(request.body)
  const detail = { ...placeOfRequest(row.body), reason, ...noted, requestId: row.id }
  const note = { by, action: 'request.refuse', subject: row.body.host, detail, at: now }
  const againAt = now + config.limits.askAgainMinutes * MINUTE_MS
  await store.commit(note, refuse(row, { by, reason, ...noted, now, againAt }))
}

/** What is kept for those who decide; the portal never reads it. */
function noteIn(body: unknown): { readonly note?: string } {
  const note = optionalText(body, 'note')
  if (note !== undefined && note.length > MAX_REASON) throw new PreauError('PREAU_TOO_LARGE')
  return note === undefined || note === '' ? {} : { note }
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
    const outcome = decision?.outcome ?? null
    const detail = { ...placeOfRequest(row.body), outcome, requestId: row.id }
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
  if (!wantsJson(request)) return reply.redirect(placeInList(request.body, 'done', id), 303)
  const words = wordingFor(request, deps, await readPolicy(deps.store))
  const row = await readRequest(deps, id)
  return reply.send({ id, text: await decisionText(deps, row, words) })
}
