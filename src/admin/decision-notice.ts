/** What was decided on a request, as its row says it in place of the forms, and whether that may still be taken back. */
import type { FastifyRequest } from 'fastify'
import type { Stored } from '../store/store.ts'
import type { RouteDeps } from './deps.ts'
import { queryText } from './form.ts'
import { viewRequest, type RequestView } from './request-view.ts'
import { undoLeftMs } from './undo.ts'
import type { Wording } from './wording.ts'

/** « kahoot.it est débloqué : pour Salle 1, École Jean-Moulin, jusqu’à 11:42. » Empty when nothing is decided. */
export async function decisionText(
  deps: Pick<RouteDeps, 'store'>,
  row: Stored<'request'>,
  words: Wording,
): Promise<string> {
  const { decision, host } = row.body
  if (decision === undefined) return ''
  const detail = await decisionDetail(deps, row, words)
  return words.t(`decide.${decision.outcome}`, { host, detail })
}

/** For whom and until when, or why not. */
async function decisionDetail(
  { store }: Pick<RouteDeps, 'store'>,
  { body: { decision } }: Stored<'request'>,
  words: Wording,
): Promise<string> {
  if (decision === undefined) return ''
  if (decision.outcome === 'refused') return decision.reason
  const grant = (await store.get('grant', decision.grant))?.body
  if (grant === undefined) return ''
  return `${words.scopeWords(grant.scope)}, ${words.until(grant.until)}`
}

export interface ListRow extends RequestView {
  readonly decided?: {
    readonly outcome: 'approved' | 'refused'
    readonly text: string
    /** Somebody else who decided it. */
    readonly by: string | undefined
    /** For how long the reader may take it back; 0: not (any more). */
    readonly undoLeftMs: number
  }
}

/** A row of the pending list, which keeps its place once it is decided. */
export async function viewListRow(
  request: FastifyRequest,
  deps: RouteDeps,
  row: Stored<'request'>,
  words: Wording,
): Promise<ListRow> {
  const view = viewRequest(row, deps.catalogue, words)
  const { decision } = row.body
  if (decision === undefined) return view
  const reader = request.who?.user.name ?? ''
  const decided = {
    outcome: decision.outcome,
    text: await decisionDetail(deps, row, words),
    by: decision.by === reader ? undefined : decision.by,
    undoLeftMs: undoLeftMs(row.body, reader, deps.clock()),
  }
  return { ...view, decided }
}

/** After an act without script the list says it once: `?done=<id>` to the person who decided, `?undone=<id>` to whoever took it back. */
export async function actOf(
  request: FastifyRequest,
  { store, clock }: RouteDeps,
): Promise<{ row: Stored<'request'>; isUndone: boolean } | undefined> {
  const [done, undone] = ['done', 'undone'].map(name => queryText(request.query, name))
  const id = done ?? undone
  const row = id === undefined ? undefined : await store.get('request', id)
  if (row === undefined) return undefined
  const isUndone = done === undefined
  const isTrue = isUndone
    ? row.body.reopenedAs !== undefined && row.body.decision === undefined
    : undoLeftMs(row.body, request.who?.user.name ?? '', clock()) > 0
  return isTrue ? { row, isUndone } : undefined
}
