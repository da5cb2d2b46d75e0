/** A revision as text: how often the store has come into sight, and the number of the last commit that is meant. */

/** `sight`: another one after each time without the store. `seq`: of the last commit that changed such a record. */
export const revisionOf = (sight: number, seq: number): string => `${sight}:${seq}`

/**
 * Whether the store was in sight from one revision to the other. Where it was not, a version may have come twice, with
 * other contents: a replica that took over, a backup that was put back.
 */
export const isSameSight = (one: string, other: string): boolean =>
  one.split(':', 1)[0] === other.split(':', 1)[0]

/** The number in a revision. */
export const seqOf = (revision: string): number => Number(revision.split(':', 2)[1])
