/**
 * The place of an act in a list: the same page with the same search and choice, and on it the same row, which says what
 * was done and how to take it back.
 */
import type { FastifyRequest } from 'fastify'
import { isSameClick } from './click.ts'
import { optionalText, queryText } from './form.ts'
import { queryOf } from './paging.ts'

/** What was done to a row: `done`, or taken back. */
export type ActName = 'done' | 'undone'

export interface ActPlace {
  /** The query of the page, without what was done. */
  readonly from: string
  readonly act: { readonly name: ActName; readonly id: string } | undefined
  /** When the page was shown, on one that follows an act: its rows have just moved. */
  readonly shownAt: number | undefined
}

/** The choices of a list that its query may hold. */
export type Choices<K extends string> = Readonly<Partial<Record<K, string>>>

/** What the query of a list chooses, of the names it knows. */
export function choicesIn<K extends string>(query: unknown, names: readonly K[]): Choices<K> {
  const found = names.map(name => [name, queryText(query, name)] as const)
  return Object.fromEntries(found.filter(([, value]) => value !== undefined)) as Choices<K>
}

/** `choices`: those of the page that is shown. */
export function placeOf(request: FastifyRequest, choices: Choices<string>, now: number): ActPlace {
  const name = (['done', 'undone'] as const).find(one => queryText(request.query, one))
  const id = name && queryText(request.query, name)
  const act = name === undefined || id === undefined ? undefined : { name, id }
  return { from: queryOf(choices), act, shownAt: act && now }
}

export interface ListPlace {
  readonly path: string
  /** Of the query of this list. */
  readonly names: readonly string[]
  /** Before the id of a row: its anchor. */
  readonly anchor: string
}

/** Where to go after an act on the row `id`. */
export function backTo(
  { path, names, anchor }: ListPlace,
  { body }: FastifyRequest,
  act: ActName,
  id: string,
): string {
  const from = Object.fromEntries(new URLSearchParams(optionalText(body, 'from') ?? ''))
  const query = queryOf({ ...choicesIn(from, names), [act]: id })
  return `${path}${query}#${anchor}${encodeURIComponent(id)}`
}

/** Where the page still stands whose click was on its way before it appeared; undefined for any other click. */
export function unsettled(
  list: ListPlace,
  request: FastifyRequest,
  now: number,
): string | undefined {
  const { body } = request
  if (!isSameClick(body, now)) return undefined
  const [done, undone] = [optionalText(body, 'done'), optionalText(body, 'undone')]
  return backTo(list, request, done === undefined ? 'undone' : 'done', done ?? undone ?? '')
}
