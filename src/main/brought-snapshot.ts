/**
 * The snapshot of the process that also brings the files of the lists. Where a machine has no index that can be used, it
 * comes from the others while this waits; a process that ended at once would never be there to fetch it.
 */
import { setTimeout as elapsed } from 'node:timers/promises'
import { isIndexDamage } from '../snapshot/open.ts'
import { followSnapshot, type FollowedSnapshot, type FollowOptions } from '../snapshot/follower.ts'

/** Less than the supervisor gives a start. */
const PATIENCE_MS = 45_000
const RETRY_MS = 1_000

/** As `followSnapshot`, where the files of the lists are being followed; throws PREAU_INDEX_DAMAGED only after the time. */
export async function followBroughtSnapshot(
  options: FollowOptions,
  patienceMs = PATIENCE_MS,
): Promise<FollowedSnapshot> {
  const until = performance.now() + patienceMs
  for (;;) {
    try {
      return await followSnapshot(options)
    } catch (error) {
      // A machine that has the store to itself would wait for nobody.
      const mayCome = isIndexDamage(error) && options.store.files !== undefined
      if (!mayCome || performance.now() > until) throw error
      await elapsed(RETRY_MS)
    }
  }
}
