/** The audit log: who did what and when, to read and to search. */
import type { FastifyInstance } from 'fastify'
import { searchAudit } from '../audit-search.ts'
import { describeEntry, textsOf } from '../audit-wording.ts'
import type { RouteDeps } from '../deps.ts'
import { queryText } from '../form.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'
import { searchFor } from '../search.ts'

const PAGE = 50
const MAX_QUERY = 100
/** A year of a city with a hundred schools in a few clicks, and less than a second each. */
const SEARCH = { found: PAGE, looked: 30_000, timeMs: 800 }
const READ = { ...SEARCH, looked: PAGE }

export function auditRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, config } = deps
  app.get('/audit', { config: { access: 'session' } }, async (request, reply) => {
    const policy = await readPolicy(store)
    const words = wordingFor(request, deps, policy)
    const query = queryText(request.query, 'q', MAX_QUERY)?.trim() ?? ''
    const asked = Number(queryText(request.query, 'before', 16))
    const before = Number.isSafeInteger(asked) && asked > 0 ? asked : undefined
    const isFound = searchFor(query)
    const { entries, reached, isFull } = await searchAudit(
      store,
      query === '' ? () => true : entry => isFound(textsOf(entry, words)),
      { before, limits: query === '' ? READ : SEARCH },
    )
    const data = {
      rows: entries.map(entry => describeEntry(entry, words)),
      query,
      retention: config.limits.requestRetentionDays,
      // A search that has not come to the end says how far it came.
      reached: isFull || reached === undefined ? undefined : words.moment(reached.at).date,
      isFirstPage: before === undefined,
      older: reached?.seq,
    }
    const page = { view: 'audit', title: words.t('audit.title'), nav: 'nav.audit' } as const
    return renderPage(request, reply, deps, { ...page, data }, policy)
  })
}
