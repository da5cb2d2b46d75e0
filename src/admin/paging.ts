/** A long list in pages, and the query that leads to each: what is searched and chosen goes along. */

/** How many rows a person looks through without losing the place. */
export const ROWS = 50

export interface Paged<T> {
  readonly rows: readonly T[]
  readonly total: number
  readonly page: number
  readonly pages: number
  /** Of all rows the first and the last one shown, counted from 1. */
  readonly from: number
  readonly to: number
  readonly previous: string | undefined
  readonly next: string | undefined
}

/** `asked`: the page as the query names it; what is no page is the first one, what is too far the last. */
export function paged<T>(
  all: readonly T[],
  asked: string | undefined,
  query: Readonly<Record<string, string | undefined>>,
): Paged<T> {
  const pages = Math.max(1, Math.ceil(all.length / ROWS))
  const wanted = /^\d{1,6}$/.test(asked ?? '') ? Number(asked) : 1
  const page = Math.min(Math.max(wanted, 1), pages)
  const start = (page - 1) * ROWS
  const rows = all.slice(start, start + ROWS)
  const to = (n: number): string => queryOf({ ...query, page: n === 1 ? undefined : String(n) })
  return {
    rows,
    total: all.length,
    page,
    pages,
    from: rows.length === 0 ? 0 : start + 1,
    to: start + rows.length,
    previous: page > 1 ? to(page - 1) : undefined,
    next: page < pages ? to(page + 1) : undefined,
  }
}

/** `?q=…&page=2`, without what is not set. */
export function queryOf(query: Readonly<Record<string, string | undefined>>): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  return `?${new URLSearchParams(set as [string, string][]).toString()}`
}
