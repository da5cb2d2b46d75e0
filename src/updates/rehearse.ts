/** Tries an update before it is put in force: on the categories, and on what this city asked for lately. */
import { join } from 'node:path'
import { seenHosts } from '../access-log/seen-hosts.ts'
import { compareVersions } from '../categories/compare-versions.ts'
import type { Config } from '../config.ts'
import type { Catalogue } from '../policy/category.ts'
import { compareVerdicts, withoutHours } from '../policy/compare-verdicts.ts'
import { isInForce } from '../policy/grant.ts'
import type { ListsVersion } from '../policy/lists.ts'
import { MAX_SEEN_CHANGES, type Rehearsal, type SeenChange } from '../policy/rehearsal.ts'
import { openSnapshot, type ListsToOpen } from '../snapshot/open.ts'
import { StateReader } from '../snapshot/state-reader.ts'
import type { Store } from '../store/store.ts'

export interface UpdateDeps {
  readonly store: Store
  readonly config: Config
  readonly catalogue: Catalogue
  readonly clock: () => number
}

const MAX_SAMPLES = 5
const MAX_HOSTS = 200_000

/** `before`: what is in force. Throws PREAU_INDEX_DAMAGED or PREAU_FILE_UNREADABLE. */
export async function rehearse(
  deps: UpdateDeps,
  before: ListsToOpen,
  after: ListsVersion,
): Promise<Rehearsal> {
  const { store, config, clock } = deps
  const { dataDir, lists } = config
  const now = clock()
  const { state } = await new StateReader(store, clock).read()
  const grants = state.grants.filter(grant => isInForce(grant, now))
  const policy = withoutHours(state.policy.body)
  const inForce = await openSnapshot(deps, { policy, lists: before, grants })
  const toCome = await openSnapshot(deps, { policy, lists: after, grants })
  // Where the index in force is damaged the one before decides, and is what the update would replace.
  const versions = { before: inForce.lists.version, after: toCome.lists.version }
  const categories = await compareVersions({ dataDir, ...versions, maxSamples: MAX_SAMPLES })
  const asked = await seenHosts(join(dataDir, 'access-log'), lists.rehearsalDays, now, MAX_HOSTS)
  const snapshots = { before: inForce.snapshot, after: toCome.snapshot }
  const changes = compareVerdicts({ ...snapshots, policy, asked, grants, now })
  const countOf = (effect: SeenChange['effect']): number =>
    changes.filter(change => change.effect === effect).length
  return {
    categories,
    seen: changes.slice(0, MAX_SEEN_CHANGES),
    closes: countOf('closes'),
    warns: countOf('warns'),
    opens: countOf('opens'),
    hostsSeen: asked.size,
    days: lists.rehearsalDays,
  }
}
