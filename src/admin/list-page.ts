/** What the pages on lists share: their data, the work that goes on, and who was faster when two people act. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { describeEntry } from './audit-wording.ts'
import type { RouteDeps } from './deps.ts'
import { readListState, type ListState } from './list-state.ts'
import { needsAttribution, viewCategories, viewLists, viewVersion } from './list-view.ts'
import { viewWork } from './list-work.ts'
import { listLabel } from './list-wording.ts'
import { readPolicy, renderPage, wordingFor, type Notice } from './page.ts'
import type { Wording } from './wording.ts'

/** How far back the audit is searched for the last action on the lists. */
const RECENT = 100

/** The tabs and the progress bar, which stand on each of these pages. */
export function sharedData(state: ListState, { work }: RouteDeps, words: Wording) {
  const { candidate } = state
  return {
    working: viewWork(work.current, words),
    waiting: candidate && {
      list: listLabel(candidate.body.list, words),
      builtAt: words.moment(candidate.body.version.builtAt),
    },
  }
}

/** The page « Listes ». */
export async function showLists(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  notice?: Notice,
): Promise<FastifyReply> {
  const [policy, state] = await Promise.all([readPolicy(deps.store), readListState(deps)])
  const words = wordingFor(request, deps, policy)
  const version = state.lists?.body
  const data = {
    ...sharedData(state, deps, words),
    tab: '/lists',
    version: version && viewVersion(version, words),
    lists: viewLists(state, words),
    categories: version === undefined ? [] : viewCategories(version, deps.catalogue, policy, words),
    isAttributed: version !== undefined && needsAttribution(version),
  }
  const page = { view: 'lists', title: words.t('lists.title'), nav: 'nav.lists' } as const
  return renderPage(request, reply, deps, { ...page, notice, data }, policy)
}

/** « Claire a mis en service la mise à jour de UT1 (il y a 1 min) »: what the slower one of two people reads. */
export async function sayWhoWasFaster(deps: RouteDeps, words: Wording): Promise<string> {
  const entries = await deps.store.tail({ limit: RECENT })
  const last = entries.find(({ action }) => action.startsWith('lists.'))
  if (last === undefined) return words.t('lists.moved')
  const { who, what, when } = describeEntry(last, words)
  return words.t('lists.faster', { who, what, ago: when.ago })
}
