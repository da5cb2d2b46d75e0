/** The grants in force as the page lists them: searched, chosen, in pages; one just closed keeps its place. */
import { isInForce, SCOPE_KINDS, type Grant } from '../policy/grant.ts'
import type { Stored } from '../store/store.ts'
import type { ActPlace, Choices } from './act-place.ts'
import type { RouteDeps } from './deps.ts'
import { listAll } from './list-all.ts'
import { paged } from './paging.ts'
import { searchFor } from './search.ts'
import { leftMs } from './undo.ts'
import type { Wording } from './wording.ts'

/** Of each kind so many are read: more than any city has opened. */
const MAX_READ = 5_000
export const GRANT_CHOICES = ['q', 'who', 'until', 'kind', 'page'] as const
export type GrantChoices = Choices<(typeof GRANT_CHOICES)[number]>

export interface GrantReader {
  readonly words: Wording
  readonly name: string
  readonly now: number
}

/** The rows of a page, and what is said around them. */
export async function listGrants(
  { store }: RouteDeps,
  choices: GrantChoices,
  act: ActPlace['act'],
  reader: GrantReader,
) {
  const { words, now } = reader
  const origin = choices.kind === 'acknowledged' ? 'acknowledged' : 'approved'
  const read = await listAll(store, 'grant', { facet: `active:${origin}` }, MAX_READ)
  const open = read.filter(({ body }) => isInForce(body, now))
  const isWanted = wanted(choices, words)
  const found = open.filter(({ body }) => isWanted(body))
  const closed = act?.name === 'done' ? await store.get('grant', act.id) : undefined
  const isKept = closed?.body.endedAt !== undefined && closed.body.origin === origin
  const kept = isKept && undoLeft(closed.body, reader) > 0 ? [closed] : []
  const rows = [...found, ...kept].toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const page = paged(rows, choices.page, { ...choices, page: undefined })
  return {
    ...page,
    rows: page.rows.map(row => viewGrant(row, reader)),
    count: open.length,
    found: found.length,
    readMax: read.length === MAX_READ ? MAX_READ : undefined,
  }
}

function wanted({ q = '', who, until }: GrantChoices, words: Wording): (grant: Grant) => boolean {
  const isFound = searchFor(q)
  const kind = SCOPE_KINDS.find(one => one === who)
  return grant =>
    (kind === undefined || grant.scope.kind === kind) &&
    (until !== 'forever' || grant.until === null) &&
    (until !== 'limited' || grant.until !== null) &&
    isFound([grant.host, words.scope(grant.scope), words.by(grant.by)])
}

function undoLeft({ endedBy = '', endedAt = 0 }: Grant, { name, now }: GrantReader): number {
  return leftMs({ by: endedBy, at: endedAt }, name, now)
}

function viewGrant({ id, body }: Stored<'grant'>, reader: GrantReader) {
  const { words } = reader
  const isEnded = body.endedAt !== undefined
  return {
    id,
    host: body.host,
    scope: words.scope(body.scope),
    until: words.until(body.until),
    isForever: body.until === null,
    by: words.by(body.by),
    since: words.moment(body.at),
    requestId: body.requestId,
    isEnded,
    undoLeftMs: isEnded ? undoLeft(body, reader) : 0,
  }
}
