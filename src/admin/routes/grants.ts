/** The sites that are open now, and closing one before its time. */
import type { FastifyInstance } from 'fastify'
import { PreauError } from '../../errors.ts'
import { isInForce } from '../../policy/grant.ts'
import type { Stored } from '../../store/store.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { listAll } from '../list-all.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import { revoke } from '../undo.ts'
import type { Wording } from '../wording.ts'

const MAX_GRANTS = 5_000
const MAX_ACKNOWLEDGED = 50

export function grantRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock } = deps
  app.get('/grants', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const all = await listAll(store, 'grant', { facet: 'active' }, MAX_GRANTS)
    const open = all.filter(({ body }) => isInForce(body, clock()))
    const acknowledged = open.filter(({ body }) => body.origin === 'acknowledged')
    const done = queryText(request.query, 'done')
    const closed = done === undefined ? undefined : (await store.get('grant', done))?.body
    const text = words.t('decide.revoked', { host: closed?.host ?? '' })
    return renderPage(
      request,
      reply,
      deps,
      {
        view: 'grants',
        title: words.t('grants.title'),
        nav: 'nav.grants',
        notice: closed?.endedAt === undefined ? undefined : { kind: 'done', text },
        data: {
          rows: open
            .filter(({ body }) => body.origin === 'approved')
            .map(row => viewGrant(row, words)),
          acknowledged: acknowledged.slice(0, MAX_ACKNOWLEDGED).map(row => viewGrant(row, words)),
          acknowledgedCount: acknowledged.length,
          maxAcknowledged: MAX_ACKNOWLEDGED,
        },
      },
      policy,
    )
  })
  app.post<{ Params: { id: string } }>(
    '/grants/:id/revoke',
    { config: { access: 'dsi' } },
    async (request, reply) => {
      const row = await store.get('grant', request.params.id)
      if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
      if (row.body.endedAt === undefined) {
        const by = request.who?.user.name ?? ''
        const now = clock()
        const note = { by, action: 'grant.revoke', subject: row.body.host, at: now }
        const detail = { scope: row.body.scope.kind, grantId: row.id }
        await store.commit({ ...note, detail }, [revoke(row, by, now)])
      }
      return reply.redirect(`/grants?done=${encodeURIComponent(row.id)}`, 303)
    },
  )
}

function viewGrant({ id, body }: Stored<'grant'>, words: Wording) {
  return {
    id,
    host: body.host,
    scope: words.scope(body.scope),
    until: words.until(body.until),
    isForever: body.until === null,
    by: words.by(body.by),
    since: words.moment(body.at),
    requestId: body.requestId,
  }
}
