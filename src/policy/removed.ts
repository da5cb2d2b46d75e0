/** What a person has removed, kept for the moment in which it can be put back as it was. */
import type { FetchStatus, StoredSource } from './list-source.ts'
import type { LocalRule } from './policy-document.ts'

export type Removed = {
  readonly by: string
  /** Epoch ms. */
  readonly at: number
} & (
  | {
      readonly kind: 'rule'
      readonly rule: LocalRule
      /** Where it stood among the rules. */
      readonly index: number
    }
  | {
      readonly kind: 'source'
      readonly source: StoredSource
      readonly fetch?: FetchStatus
    }
)

/** The one place that makes the id of such a record: what is removed twice is known by its last time. */
export function removedId(kind: Removed['kind'], id: string): string {
  return `${kind}:${id}`
}
