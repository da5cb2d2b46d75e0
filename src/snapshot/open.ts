/**
 * The one way to put a snapshot together. The proxy, the panel, `preau check` and the rehearsal of an update all open theirs
 * here, so that none of them answers what another would not.
 */
import { openExpressions } from '../categories/expressions.ts'
import { openCategoryIndex, type CategoryIndex } from '../categories/index/category-index.ts'
import { indexFile } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import { hasCode, type PreauError } from '../errors.ts'
import { createAddressJudge, parseCidr } from '../policy/address.ts'
import type { Catalogue, CategoryId, PageLookup } from '../policy/category.ts'
import type { Grant } from '../policy/grant.ts'
import type { ListsVersion } from '../policy/lists.ts'
import type { PolicyDocument } from '../policy/policy-document.ts'
import { buildSnapshot, type Snapshot } from '../policy/snapshot.ts'

export interface OpenOptions {
  readonly config: Pick<Config, 'dataDir' | 'dial' | 'limits'>
  readonly catalogue: Catalogue
}

/** Lists to open, and those to fall back on. */
export type ListsToOpen = ListsVersion & { readonly previous?: ListsVersion | null }

/** The files of a version of the lists, open. */
export interface OpenedLists {
  /** The version that decides: the one before where the index of the one asked for is damaged. */
  readonly version: ListsVersion
  readonly index: CategoryIndex
  /** The categories whose expressions act. */
  readonly expressions: readonly CategoryId[]
  /** The pages of the lists, and what the expressions that act say of an address. */
  readonly pages: PageLookup
  /** Why it is not the version asked for. */
  readonly damage: PreauError | undefined
}

export interface OpenedSnapshot {
  readonly snapshot: Snapshot
  readonly lists: OpenedLists
}

/** What is decided by, as the store has it. */
export interface Decided {
  readonly policy: PolicyDocument
  readonly lists: ListsToOpen
  readonly grants: readonly Grant[]
}

/** `standing`: the lists where they are open already. Throws as `openLists`. */
export async function openSnapshot(
  options: OpenOptions,
  { policy, lists: asked, grants }: Decided,
  standing?: OpenedLists,
): Promise<OpenedSnapshot> {
  const { config, catalogue } = options
  const lists = standing ?? (await openLists(options, asked, policy.expressions))
  const snapshot = buildSnapshot({
    policy,
    grants,
    catalogue,
    categories: lists.index.lookup,
    pages: lists.pages,
    hints: lists.index.hints,
    addresses: createAddressJudge(config.dial.allow.flatMap(text => parseCidr(text) ?? [])),
  })
  return { snapshot, lists }
}

/**
 * Opens the index, and the expressions of the categories for which the policy turns them on. Throws PREAU_INDEX_DAMAGED
 * when neither the index nor the one before can be used, and PREAU_FILE_UNREADABLE.
 */
export async function openLists(
  { config }: Pick<OpenOptions, 'config'>,
  lists: ListsToOpen,
  expressions: readonly CategoryId[],
): Promise<OpenedLists> {
  const { dataDir } = config
  const opened = await openIndex(config, lists)
  const { version, index } = opened
  if (expressions.length === 0) return { ...opened, expressions, pages: index.pages }
  const { match } = await openExpressions({ dataDir, version, categories: expressions })
  return { ...opened, expressions, pages: join(index.pages, match) }
}

function join(a: PageLookup, b: PageLookup): PageLookup {
  return (host, path) => {
    const [left, right] = [a(host, path), b(host, path)]
    if (left.length === 0) return right
    return right.length === 0 ? left : [...new Set([...left, ...right])].sort()
  }
}

async function openIndex(
  { dataDir, limits }: OpenOptions['config'],
  lists: ListsToOpen,
): Promise<Omit<OpenedLists, 'pages' | 'expressions'>> {
  const open = async (version: ListsVersion): Promise<CategoryIndex> =>
    openCategoryIndex(indexFile(dataDir, version), { cacheEntries: limits.categoryCacheEntries })
  try {
    return { version: lists, index: await open(lists), damage: undefined }
  } catch (error) {
    const { previous = null } = lists
    if (!isIndexDamage(error) || previous === null) throw error
    const index = await open(previous).catch(() => Promise.reject(error))
    return { version: previous, index, damage: error }
  }
}

export const isIndexDamage = (error: unknown): error is PreauError =>
  hasCode(error, 'PREAU_INDEX_DAMAGED')
