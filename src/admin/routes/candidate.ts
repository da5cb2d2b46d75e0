/** The page of an update that waits for a person: what it would change, and the two buttons. */
import type { FastifyInstance } from 'fastify'
import { viewCandidate } from '../candidate-view.ts'
import type { RouteDeps } from '../deps.ts'
import { sharedData } from '../list-page.ts'
import { readListState } from '../list-state.ts'
import { readPolicy, renderPage, wordingFor } from '../page.ts'

export function candidateRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { store, catalogue } = deps
  app.get('/lists/candidate', { config: { access: 'session' } }, async (request, reply) => {
    const [policy, state] = await Promise.all([readPolicy(store), readListState(deps)])
    const words = wordingFor(request, deps, policy)
    const inForce = state.lists?.body.id
    const context = { catalogue, policy, words, inForce }
    const data = {
      ...sharedData(state, deps, words),
      tab: '/lists/candidate',
      candidate: state.candidate && viewCandidate(state.candidate.body, context),
    }
    const title = words.t('candidate.title')
    const page = { view: 'candidate', title, nav: 'nav.lists' } as const
    return renderPage(request, reply, deps, { ...page, data }, policy)
  })
}
