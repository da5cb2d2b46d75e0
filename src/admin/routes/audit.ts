/** The audit log: who did what and when, to read and to search. */
import type { FastifyInstance } from 'fastify'
import { describeEntry, matchesEntry } from '../audit-wording.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'

const PAGE = 50
const SEARCHED = 500
const MAX_QUERY = 100

export function auditRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store } = deps
  app.get('/audit', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const query = queryText(request.query, 'q', MAX_QUERY)?.trim() ?? ''
    const before = Number(queryText(request.query, 'before', 16))
    const from = Number.isSafeInteger(before) && before > 0 ? { before } : {}
    const isSearch = query !== ''
    const entries = await store.tail(isSearch ? { limit: SEARCHED } : { limit: PAGE, ...from })
    const found = isSearch ? entries.filter(entry => matchesEntry(entry, query)) : entries
    const data = {
      rows: found.map(entry => describeEntry(entry, words)),
      query,
      searched: SEARCHED,
      isFirstPage: from.before === undefined,
      older: !isSearch && entries.length === PAGE ? entries.at(-1)?.seq : undefined,
    }
    const page = { view: 'audit', title: words.t('audit.title'), nav: 'nav.audit' } as const
    return renderPage(request, reply, deps, { ...page, data }, policy)
  })
}
