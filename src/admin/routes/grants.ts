/** The sites that are open now, closing one before its time, and taking that back. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { PreauError } from '../../errors.ts'
import { isInForce } from '../../policy/grant.ts'
import { placeOfScope } from '../../policy/place-detail.ts'
import type { Stored } from '../../store/store.ts'
import { backTo, choicesIn, placeOf, unsettled, type ListPlace } from '../act-place.ts'
import { againOnConflict } from '../again-on-conflict.ts'
import type { RouteDeps } from '../deps.ts'
import { GRANT_CHOICES, listGrants } from '../grant-list.ts'
import { readPolicy, renderPage, wordingFor, type Notice } from '../page.ts'
import { restore, revoke } from '../undo.ts'
import type { Wording } from '../wording.ts'

/** Beyond that a number of passed warnings that are over is counted too. */
const MAX_COUNTED = 500
const LIST: ListPlace = { path: '/grants', names: GRANT_CHOICES, anchor: 'g-' }

type WithId = { Params: { id: string } }

export function grantRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock } = deps
  app.get('/grants', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const choices = choicesIn(request.query, GRANT_CHOICES)
    const place = placeOf(request, choices, clock())
    const reader = { words, name: nameOf(request), now: clock() }
    const [list, acknowledged, notice] = await Promise.all([
      listGrants(deps, choices, place.act, reader),
      countAcknowledged(deps),
      noticeOf(deps, place.act, words),
    ])
    const page = { view: 'grants', title: words.t('grants.title'), nav: 'nav.grants' } as const
    const data = { list, acknowledged, choices, place }
    return renderPage(request, reply, deps, { ...page, notice, data }, policy)
  })
  const acts = [
    ['revoke', 'done', endGrant],
    ['restore', 'undone', restoreGrant],
  ] as const
  for (const [verb, act, work] of acts) {
    app.post<WithId>(
      `/grants/:id/${verb}`,
      { config: { access: 'dsi' } },
      async (request, reply) => {
        const stay = unsettled(LIST, request, clock())
        if (stay !== undefined) return reply.redirect(stay, 303)
        await againOnConflict(() => work(request, deps))
        return reply.redirect(backTo(LIST, request, act, request.params.id), 303)
      },
    )
  }
}

const nameOf = ({ who }: FastifyRequest): string => who?.user.name ?? ''

/** Ends it once: a second click finds it done. */
async function endGrant(
  request: FastifyRequest<WithId>,
  { store, clock }: RouteDeps,
): Promise<void> {
  const read = (): Promise<Stored<'grant'> | undefined> => store.get('grant', request.params.id)
  const row = await read()
  if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
  if (row.body.endedAt !== undefined) {
    await store.confirmed(read)
    return
  }
  const [by, at] = [nameOf(request), clock()]
  const { scope } = row.body
  const detail = { scope: scope.kind, ...placeOfScope(scope), grantId: row.id }
  const note = { by, action: 'grant.revoke', subject: row.body.host, detail, at }
  await store.commit(note, [revoke(row, by, at)])
}

/** Opens again what the same person has just closed; a second click finds it open. */
async function restoreGrant(
  request: FastifyRequest<WithId>,
  { store, clock }: RouteDeps,
): Promise<void> {
  const read = (): Promise<Stored<'grant'> | undefined> => store.get('grant', request.params.id)
  const row = await read()
  if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
  const [by, at] = [nameOf(request), clock()]
  if (isInForce(row.body, at)) {
    await store.confirmed(read)
    return
  }
  const { scope } = row.body
  const detail = { scope: scope.kind, ...placeOfScope(scope), grantId: row.id }
  const note = { by, action: 'grant.restore', subject: row.body.host, detail, at }
  await store.commit(note, [restore(row, by, at)])
}

async function noticeOf(
  { store, clock }: RouteDeps,
  act: { readonly name: 'done' | 'undone'; readonly id: string } | undefined,
  { t }: Wording,
): Promise<Notice | undefined> {
  const grant = act === undefined ? undefined : (await store.get('grant', act.id))?.body
  if (act === undefined || grant === undefined) return undefined
  const isOpen = isInForce(grant, clock())
  if (isOpen !== (act.name === 'undone')) return undefined
  const text = t(isOpen ? 'decide.restored' : 'decide.revoked', { host: grant.host })
  return { kind: 'done', text }
}

/** How many passed warnings are in force: beyond what is read, those just over are counted too. */
async function countAcknowledged({ store, clock }: RouteDeps): Promise<number> {
  const facet = 'active:acknowledged'
  const newest = await store.list('grant', { facet, limit: MAX_COUNTED })
  const open = newest.filter(({ body }) => isInForce(body, clock()))
  return open.length < MAX_COUNTED ? open.length : store.count('grant', facet)
}
