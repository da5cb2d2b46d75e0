/** The page « Sources ». */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { withoutUser } from '../policy/credentials.ts'
import { MAX_SOURCE_URL, SOURCE_FORMATS } from '../policy/list-source.ts'
import { removedId } from '../policy/removed.ts'
import type { RouteDeps } from './deps.ts'
import { queryText } from './form.ts'
import { sharedData } from './list-page.ts'
import { readListState } from './list-state.ts'
import { listLabel } from './list-wording.ts'
import { readPolicy, renderPage, wordingFor, type Notice } from './page.ts'
import { showForm, type ShownForm } from './shown-form.ts'
import { MAX_NAME } from './source-form.ts'
import { sayNight, viewOffers, viewSources, type SourceRow } from './source-view.ts'
import { leftMs } from './undo.ts'
import type { Wording } from './wording.ts'

export interface SourcePage {
  readonly notice?: Notice | undefined
  /** A source that is asked for at an hour when it wants to be left alone. */
  readonly asked?: string
  /** One that was refused: that of a source by its name, or the one that adds, which has no id. */
  readonly form?: ShownForm
}

export async function showSources(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: RouteDeps,
  { notice, asked, form = showForm() }: SourcePage = {},
): Promise<FastifyReply> {
  const { store, catalogue, config } = deps
  const [policy, state] = await Promise.all([readPolicy(store), readListState(deps)])
  const words = wordingFor(request, deps, policy)
  const choices = [...catalogue.values()].map(({ id, label }) => ({
    id,
    label: label[words.locale],
  }))
  const fresh = showForm()
  const rows = viewSources(state, catalogue, words, deps.work.current?.list)
  const data = {
    ...sharedData(state, deps, words),
    tab: '/lists/sources',
    rows,
    gone: await justRemoved(request, deps, rows, words),
    offers: viewOffers(state, words),
    night: sayNight(config.lists, words),
    asked: asked === undefined ? undefined : { name: asked, label: listLabel(asked, words) },
    form: form.id === '' ? form : fresh,
    formOf: (name: string) => (form.id === name ? form : fresh),
    formats: SOURCE_FORMATS.map(id => ({ id, label: words.t(`format.${id}`) })),
    categories: choices.toSorted((a, b) => a.label.localeCompare(b.label, words.locale)),
    maxName: MAX_NAME,
    maxUrl: MAX_SOURCE_URL,
    withoutUser,
  }
  const page = { view: 'sources', title: words.t('sources.title'), nav: 'nav.lists' } as const
  return renderPage(request, reply, deps, { ...page, notice, data }, policy)
}

/** The source that the reader has removed a moment ago: it can be put back from where it stood. */
async function justRemoved(
  { query, who }: FastifyRequest,
  { store, clock }: RouteDeps,
  rows: readonly SourceRow[],
  words: Wording,
) {
  const name = queryText(query, 'name', MAX_NAME)
  const isHere = name === undefined || rows.some(row => row.name === name)
  const removed = isHere ? undefined : (await store.get('removed', removedId('source', name)))?.body
  if (removed === undefined) return undefined
  const undoLeftMs = leftMs(removed, who?.user.name ?? '', clock())
  if (name === undefined || undoLeftMs === 0) return undefined
  const behind = rows.findIndex(row => row.name > name)
  return {
    name,
    label: listLabel(name, words),
    undoLeftMs,
    index: behind === -1 ? rows.length : behind,
  }
}
