/** The kinds of records that exist, in the order of their bytes. */
import type { Kind } from '../../policy/document.ts'

// A kind that is missing here does not compile.
const ALL: Readonly<Record<Kind, true>> = {
  alarm: true,
  candidate: true,
  fetch: true,
  grant: true,
  installation: true,
  latest: true,
  lists: true,
  policy: true,
  removed: true,
  request: true,
  session: true,
  setup: true,
  source: true,
  user: true,
}

export const KINDS = Object.keys(ALL).toSorted() as readonly Kind[]
