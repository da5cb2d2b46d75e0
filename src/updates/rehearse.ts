/** Tries an update before it is put in force: on the categories, and on what this city asked for lately. */
import { join } from 'node:path'
import { seenHosts } from '../access-log/seen-hosts.ts'
import { compareVersions } from '../categories/compare-versions.ts'
import { openCategoryIndex } from '../categories/index/category-index.ts'
import { indexFile } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { createAddressJudge } from '../policy/address.ts'
import type { Catalogue } from '../policy/category.ts'
import { CURRENT } from '../policy/document.ts'
import { isInForce } from '../policy/grant.ts'
import type { ListsVersion } from '../policy/lists.ts'
import { compareVerdicts, MAX_SEEN_CHANGES, withoutHours } from '../policy/rehearsal.ts'
import type { Rehearsal, SeenChange } from '../policy/rehearsal.ts'
import { buildSnapshot, type Snapshot } from '../policy/snapshot.ts'
import type { Store } from '../store/store.ts'

export interface UpdateDeps {
  readonly store: Store
  readonly config: Config
  readonly catalogue: Catalogue
  readonly clock: () => number
}

const MAX_SAMPLES = 5
const MAX_HOSTS = 200_000
const MAX_GRANTS = 100_000

/** Throws PREAU_INDEX_DAMAGED or PREAU_FILE_UNREADABLE. */
export async function rehearse(
  deps: UpdateDeps,
  before: ListsVersion,
  after: ListsVersion,
): Promise<Rehearsal> {
  const { config, clock } = deps
  const { dataDir, lists } = config
  const categories = await compareVersions({ dataDir, before, after, maxSamples: MAX_SAMPLES })
  const log = join(dataDir, 'access-log')
  const exchanges = await seenHosts(log, lists.rehearsalDays, clock(), MAX_HOSTS)
  const changes = await changesFor(deps, before, after, exchanges)
  const countOf = (effect: SeenChange['effect']): number =>
    changes.filter(change => change.effect === effect).length
  return {
    categories,
    seen: changes.slice(0, MAX_SEEN_CHANGES),
    closes: countOf('closes'),
    warns: countOf('warns'),
    opens: countOf('opens'),
    hostsSeen: exchanges.size,
    days: lists.rehearsalDays,
  }
}

async function changesFor(
  { store, config, catalogue, clock }: UpdateDeps,
  before: ListsVersion,
  after: ListsVersion,
  exchanges: Awaited<ReturnType<typeof seenHosts>>,
): Promise<SeenChange[]> {
  const [policy, active] = await Promise.all([
    store.get('policy', CURRENT),
    store.list('grant', { facet: 'active', limit: MAX_GRANTS }),
  ])
  if (policy === undefined) throw new PreauError('PREAU_NOT_FOUND')
  const now = clock()
  const grants = active.map(({ body }) => body).filter(grant => isInForce(grant, now))
  const snapshotOf = async (version: ListsVersion): Promise<Snapshot> => {
    const file = indexFile(config.dataDir, version)
    const { lookup } = await openCategoryIndex(file, { cacheEntries: 0 })
    return buildSnapshot({
      policy: withoutHours(policy.body),
      grants,
      catalogue,
      categories: lookup,
      addresses: createAddressJudge([]),
    })
  }
  const snapshots = { before: await snapshotOf(before), after: await snapshotOf(after) }
  return compareVerdicts({ ...snapshots, policy: policy.body, exchanges, grants, now })
}
