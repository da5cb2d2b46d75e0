/** How a request was decided, what the next one is told of it, and when the same may be asked again. */
import type { Grant, Scope } from './grant.ts'

export type Decision =
  | {
      readonly outcome: 'approved'
      readonly by: string
      readonly at: number
      readonly grant: string
      /** Read by those who decide only. */
      readonly note?: string
    }
  | {
      readonly outcome: 'refused'
      readonly by: string
      readonly at: number
      /** Shown on the block page: pupils and teachers read it. */
      readonly reason: string
      /** Read by those who decide only. */
      readonly note?: string
      /** Before that instant the same is not asked again. */
      readonly againAt?: number
    }

/** A decision as the next request remembers it. */
export type Previous =
  | Extract<Decision, { outcome: 'refused' }>
  | {
      readonly outcome: 'approved'
      readonly by: string
      readonly at: number
      /** Absent where the grant is not known any more. */
      readonly scope?: Scope
      readonly endedBy?: string
    }

/** How wrong the clock of a machine may be before a refusal is taken for one of another time. */
const SKEW_MS = 60_000

/** The instant before which what was refused is not asked again; undefined once it has come, and for any other decision. */
export function waitsUntil(decision: Decision | undefined, now: number): number | undefined {
  if (decision?.outcome !== 'refused') return undefined
  const { at, againAt = at } = decision
  return now < againAt && now > at - SKEW_MS ? againAt : undefined
}

/** What the next request is told of the one before. */
export function previousOf(decision: Decision | undefined, grant?: Grant): Previous | undefined {
  if (decision?.outcome !== 'approved') return decision
  const { outcome, by, at } = decision
  if (grant === undefined) return { outcome, by, at }
  const { scope, endedBy } = grant
  return { outcome, by, at, scope, ...(endedBy === undefined ? {} : { endedBy }) }
}
