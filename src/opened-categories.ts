/** Opens what a snapshot asks about hosts and pages. A damaged index is replaced by the one before, and an alarm raised. */
import type { Logger } from 'pino'
import { openExpressions } from './categories/expressions.ts'
import { openCategoryIndex, type CategoryIndex } from './categories/index/category-index.ts'
import { indexFile } from './categories/lists.ts'
import type { Config } from './config.ts'
import { causeOf, PreauError } from './errors.ts'
import type { CategoryId, PageLookup } from './policy/category.ts'
import type { ListsDocument, ListsVersion } from './policy/lists.ts'
import type { SnapshotParts } from './policy/snapshot.ts'
import type { Store } from './store/store.ts'

export interface OpenCategories {
  readonly store: Store
  readonly config: Config
  readonly clock: () => number
  readonly logger: Logger
  readonly lists: ListsDocument
  /** Categories whose expressions act. */
  readonly expressions: readonly CategoryId[]
  readonly key: string
}

export interface OpenedCategories {
  /** Names what was opened. */
  readonly key: string
  readonly parts: Pick<SnapshotParts, 'categories' | 'pages' | 'hints'>
}

/** Throws PREAU_INDEX_DAMAGED when neither the index in force nor the one before can be used. */
export async function openCategories(options: OpenCategories): Promise<OpenedCategories> {
  const { version, index } = await openIndex(options)
  const { config, expressions, key } = options
  const pages =
    expressions.length === 0
      ? index.pages
      : join(
          index.pages,
          (await openExpressions({ dataDir: config.dataDir, version, categories: expressions }))
            .match,
        )
  return { key, parts: { categories: index.lookup, pages, hints: index.hints } }
}

function join(a: PageLookup, b: PageLookup): PageLookup {
  return (host, path) => {
    const [left, right] = [a(host, path), b(host, path)]
    if (left.length === 0) return right
    return right.length === 0 ? left : [...new Set([...left, ...right])].sort()
  }
}

async function openIndex(
  options: OpenCategories,
): Promise<{ version: ListsVersion; index: CategoryIndex }> {
  const { lists, config, logger } = options
  const open = async (version: ListsVersion): Promise<CategoryIndex> =>
    openCategoryIndex(indexFile(config.dataDir, version), {
      cacheEntries: config.limits.categoryCacheEntries,
    })
  try {
    const index = await open(lists)
    await settle(options, undefined)
    return { version: lists, index }
  } catch (error) {
    if (!(error instanceof PreauError && error.code === 'PREAU_INDEX_DAMAGED')) throw error
    const { previous } = lists
    await settle(options, error)
    if (previous === null) throw error
    logger.error({ err: error }, 'the index in force is damaged; the one before is used')
    return { version: previous, index: await open(previous).catch(() => Promise.reject(error)) }
  }
}

/** Raises the alarm or ends it. The filter does not depend on whether this can be written. */
async function settle(
  { store, lists, clock, logger }: OpenCategories,
  error: PreauError | undefined,
): Promise<void> {
  try {
    const alarms = await store.list('alarm', { limit: 100 })
    const at = clock()
    if (error === undefined) {
      const over = alarms.filter(({ body }) => body.kind === 'index-damaged')
      if (over.length === 0) return
      await store.commit(
        { by: 'system', action: 'alarm.over', subject: over[0]?.body.subject ?? '', at },
        over.map(({ id, version }) => ({ kind: 'alarm', id, expects: version, body: null })),
      )
      return
    }
    const subject = lists.index
    const id = `index-damaged:${subject}`
    if (alarms.some(alarm => alarm.id === id)) return
    const body = { kind: 'index-damaged', subject, detail: causeOf(error), at } as const
    await store.commit({ by: 'system', action: 'alarm.raise', subject, at }, [
      { kind: 'alarm', id, expects: 'absent', body },
    ])
  } catch (cause) {
    logger.warn({ err: cause }, 'the alarm could not be written')
  }
}
