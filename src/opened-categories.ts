/** Opens what a snapshot asks about hosts and pages. A damaged index is replaced by the one before, and an alarm says so. */
import type { Logger } from 'pino'
import { openExpressions } from './categories/expressions.ts'
import { openCategoryIndex, type CategoryIndex } from './categories/index/category-index.ts'
import { indexFile } from './categories/lists.ts'
import type { Config } from './config.ts'
import { causeOf, hasCode, type PreauError } from './errors.ts'
import { machineName } from './machine.ts'
import type { CategoryId, PageLookup } from './policy/category.ts'
import type { ListsDocument, ListsVersion } from './policy/lists.ts'
import type { SnapshotParts } from './policy/snapshot.ts'
import { endAlarms, MAX_ALARMS, raiseAlarm } from './shared-lists/list-alarms.ts'
import type { Store } from './store/store.ts'

export interface OpenCategories {
  readonly config: Config
  readonly logger: Logger
  readonly lists: ListsDocument
  /** The file of its index is on its way from another machine: nothing is wrong. */
  readonly isToCome: boolean
  /** Categories whose expressions act. */
  readonly expressions: readonly CategoryId[]
  readonly key: string
}

export interface OpenedCategories {
  /** Names what was opened. */
  readonly key: string
  readonly parts: Pick<SnapshotParts, 'categories' | 'pages' | 'hints'>
  /** Why the index in force is not the one that was opened. */
  readonly damage: PreauError | undefined
}

/** Throws PREAU_INDEX_DAMAGED when neither the index in force nor the one before can be used. */
export async function openCategories(options: OpenCategories): Promise<OpenedCategories> {
  const { version, index, damage } = await openIndex(options)
  const { config, expressions, key } = options
  const pages =
    expressions.length === 0
      ? index.pages
      : join(
          index.pages,
          (await openExpressions({ dataDir: config.dataDir, version, categories: expressions }))
            .match,
        )
  return { key, parts: { categories: index.lookup, pages, hints: index.hints }, damage }
}

function join(a: PageLookup, b: PageLookup): PageLookup {
  return (host, path) => {
    const [left, right] = [a(host, path), b(host, path)]
    if (left.length === 0) return right
    return right.length === 0 ? left : [...new Set([...left, ...right])].sort()
  }
}

interface Opened {
  readonly version: ListsVersion
  readonly index: CategoryIndex
  readonly damage: PreauError | undefined
}

async function openIndex({ lists, config, logger, isToCome }: OpenCategories): Promise<Opened> {
  const open = async (version: ListsVersion): Promise<CategoryIndex> =>
    openCategoryIndex(indexFile(config.dataDir, version), {
      cacheEntries: config.limits.categoryCacheEntries,
    })
  try {
    return { version: lists, index: await open(lists), damage: undefined }
  } catch (error) {
    if (!isIndexDamage(error)) throw error
    const { previous } = lists
    if (previous === null) throw error
    if (!isToCome)
      logger.error({ err: error }, 'the index in force is damaged; the one before is used')
    const index = await open(previous).catch(() => Promise.reject(error))
    return { version: previous, index, damage: error }
  }
}

export const isIndexDamage = (error: unknown): error is PreauError =>
  hasCode(error, 'PREAU_INDEX_DAMAGED')

export interface TellDamage {
  readonly store: Store
  readonly config: Pick<Config, 'dataDir'>
  readonly clock: () => number
  readonly logger: Logger
  /** The name of the index in force. */
  readonly index: string
  /** undefined: it could be opened. */
  readonly damage: PreauError | undefined
}

/** Raises the alarm or ends it; false where the store cannot be written, and nothing depends on that. */
export async function tellDamage(options: TellDamage): Promise<boolean> {
  const { store, config, clock, logger, index: subject, damage } = options
  const machine = machineName(config)
  try {
    const at = clock()
    if (damage !== undefined) {
      const about = { kind: 'index-damaged', subject, machine } as const
      await raiseAlarm(store, { ...about, detail: causeOf(damage), at })
      return true
    }
    const alarms = await store.list('alarm', { limit: MAX_ALARMS })
    // Each machine has its own copy of an index: what is whole here may be damaged elsewhere.
    const isOurs = ({ body }: (typeof alarms)[number]): boolean =>
      store.files === undefined || (body.machine ?? machine) === machine
    const over = alarms.filter(alarm => alarm.body.kind === 'index-damaged' && isOurs(alarm))
    await endAlarms(store, over, at)
    return true
  } catch (cause) {
    logger.warn({ err: cause }, 'the alarm could not be written')
    return false
  }
}
