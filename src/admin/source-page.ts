/** The page « Sources ». */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { SOURCE_FORMATS } from '../policy/list-source.ts'
import type { RouteDeps } from './deps.ts'
import { sharedData } from './list-page.ts'
import { readListState } from './list-state.ts'
import { listLabel } from './list-wording.ts'
import { readPolicy, renderPage, wordingFor, type Notice } from './page.ts'
import { showForm, type ShownForm } from './shown-form.ts'
import { MAX_NAME, MAX_URL } from './source-form.ts'
import { sayNight, viewOffers, viewSources } from './source-view.ts'

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
  const data = {
    ...sharedData(state, deps, words),
    tab: '/lists/sources',
    rows: viewSources(state, catalogue, words, deps.work.current?.list),
    offers: viewOffers(state, words),
    night: sayNight(config.lists, words),
    asked: asked === undefined ? undefined : { name: asked, label: listLabel(asked, words) },
    form: form.id === '' ? form : fresh,
    formOf: (name: string) => (form.id === name ? form : fresh),
    formats: SOURCE_FORMATS.map(id => ({ id, label: words.t(`format.${id}`) })),
    categories: choices.toSorted((a, b) => a.label.localeCompare(b.label, words.locale)),
    maxName: MAX_NAME,
    maxUrl: MAX_URL,
  }
  const page = { view: 'sources', title: words.t('sources.title'), nav: 'nav.lists' } as const
  return renderPage(request, reply, deps, { ...page, notice, data }, policy)
}
