/** The sites that are open now, and closing one before its time. */
import type { FastifyInstance } from 'fastify'
import { PreauError } from '../../errors.ts'
import { isInForce } from '../../policy/grant.ts'
import type { Stored } from '../../store/store.ts'
import { againOnConflict } from '../again-on-conflict.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { listAll } from '../list-all.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import { revoke } from '../undo.ts'
import type { Wording } from '../wording.ts'

const MAX_GRANTS = 5_000
const MAX_ACKNOWLEDGED = 50
const MAX_COUNTED = 500

export function grantRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, clock } = deps
  app.get('/grants', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const [approved, acknowledged] = await Promise.all([
      listAll(store, 'grant', { facet: 'active:approved' }, MAX_GRANTS),
      readAcknowledged(deps),
    ])
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
          rows: approved
            .filter(({ body }) => isInForce(body, clock()))
            .map(row => viewGrant(row, words)),
          acknowledged: acknowledged.shown.map(row => viewGrant(row, words)),
          acknowledgedCount: acknowledged.count,
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
      const { id } = request.params
      await againOnConflict(async () => {
        const read = (): Promise<Stored<'grant'> | undefined> => store.get('grant', id)
        const row = await read()
        if (row === undefined) throw new PreauError('PREAU_NOT_FOUND')
        if (row.body.endedAt !== undefined) {
          await store.confirmed(read)
          return
        }
        const by = request.who?.user.name ?? ''
        const now = clock()
        const note = { by, action: 'grant.revoke', subject: row.body.host, at: now }
        const detail = { scope: row.body.scope.kind, grantId: row.id }
        await store.commit({ ...note, detail }, [revoke(row, by, now)])
      })
      return reply.redirect(`/grants?done=${encodeURIComponent(id)}`, 303)
    },
  )
}

/** The newest passed warnings in force, and how many there are: beyond what is read, those just over are counted too. */
async function readAcknowledged({ store, clock }: RouteDeps) {
  const facet = 'active:acknowledged'
  const newest = await store.list('grant', { facet, limit: MAX_COUNTED })
  const open = newest.filter(({ body }) => isInForce(body, clock()))
  const isAll = open.length < MAX_COUNTED
  const count = isAll ? open.length : await store.count('grant', facet)
  return { shown: open.slice(0, MAX_ACKNOWLEDGED), count }
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
