/** What was just decided, in a sentence, and whether it may still be taken back. */
import type { FastifyRequest } from 'fastify'
import type { PolicyDocument } from '../policy/policy-document.ts'
import type { RouteDeps } from './deps.ts'
import { queryText } from './form.ts'
import { wordingFor } from './page.ts'
import { canUndo } from './undo.ts'
import type { Wording } from './wording.ts'

/** « kahoot.it est débloqué : pour Salle 1, École Jean-Moulin, jusqu’à 11:42. » Empty when nothing is decided. */
export async function decisionText(
  { store }: Pick<RouteDeps, 'store'>,
  id: string,
  words: Wording,
): Promise<string> {
  const request = (await store.get('request', id))?.body
  if (request?.decision === undefined) return ''
  const { decision, host } = request
  if (decision.outcome === 'refused') {
    return words.t('decide.refused', { host, reason: decision.reason })
  }
  const grant = (await store.get('grant', decision.grant))?.body
  if (grant === undefined) return ''
  const [scope, until] = [words.scopeWords(grant.scope), words.until(grant.until)]
  return words.t('decide.approved', { host, scope, until })
}

/** After a decision without script the list says it once (`?done=<id>`), to the person who made it. */
export async function decisionNotice(
  request: FastifyRequest,
  deps: RouteDeps,
  policy: PolicyDocument | undefined,
): Promise<{ id: string; text: string } | undefined> {
  const id = queryText(request.query, 'done')
  const row = id === undefined ? undefined : await deps.store.get('request', id)
  const name = request.who?.user.name ?? ''
  if (row === undefined || !canUndo(row.body, name, deps.clock())) return undefined
  return { id: row.id, text: await decisionText(deps, row.id, wordingFor(request, deps, policy)) }
}
