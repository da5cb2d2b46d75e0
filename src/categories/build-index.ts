/** Builds the index of a set of lists: the new one first, so that its duplicates are its own, then all the others. */
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Catalogue, CategoryId } from '../policy/category.ts'
import type { ListInfo, ListsDocument } from '../policy/lists.ts'
import { syncFolder } from './durable-file.ts'
import { indexDomains, type DomainFile, type Tally } from './reading/index-lists.ts'
import { IndexWriter } from './index/index-writer.ts'
import { filesOf, listsFolder, newListId } from './list-folder.ts'
import { STARTER_NAME, starterDigest, starterFiles } from './starter.ts'

/** Told of the work as it goes on. `total` is absent where it is not known. */
export type OnProgress = (
  bytes: number,
  progress: { readonly phase: 'read' | 'index'; readonly total?: number },
) => void

/** What stays the same for every change of the lists. `now` is epoch ms. */
export interface ListsContext {
  readonly dataDir: string
  readonly current: ListsDocument | undefined
  readonly catalogue: Catalogue
  readonly now: number
  readonly onProgress?: OnProgress
}

export interface IndexReport {
  /** Hosts in the index, all lists together. */
  readonly hosts: number
  readonly indexBytes: number
  readonly elapsedMs: number
}

/** A list that comes in: told its tallies, it says what the document shall hold, or refuses. */
export interface Incoming {
  readonly files: readonly DomainFile[]
  readonly describe: (tallies: ReadonlyMap<CategoryId, Tally>) => ListInfo
}

/**
 * Writes a new index of the starter lists, of `kept` and of `incoming`, and returns the document that names it. Nothing
 * is committed and no other file is touched; when it throws, no index is left.
 */
export async function buildIndex(
  context: ListsContext,
  kept: readonly ListInfo[],
  incoming?: Incoming,
): Promise<{ document: ListsDocument; report: IndexReport }> {
  const startedAt = performance.now()
  const { dataDir, catalogue, now } = context
  await mkdir(listsFolder(dataDir), { recursive: true, mode: 0o750 })
  await syncFolder(dataDir)
  const isKnown = ({ category }: DomainFile): boolean => catalogue.has(category)
  const starter = (await starterFiles()).filter(isKnown)
  const keptFiles = (await Promise.all(kept.map(list => filesOf(dataDir, list)))).flat()
  const known = keptFiles.filter(isKnown)
  const fresh = incoming?.files ?? []
  const onBytes = await countBytes([...fresh, ...starter, ...known], context.onProgress)
  const writer = new IndexWriter([...catalogue.keys()])
  const added = incoming?.describe(await indexAll(writer, fresh, onBytes))
  const starterTallies = await indexAll(writer, starter, onBytes)
  await indexAll(writer, known, onBytes)
  const index = `index-${newListId(now)}.bin`
  const indexBytes = await writeOrRemove(writer, join(listsFolder(dataDir), index))
  const lists = [describeStarter(starterTallies, now), ...kept, ...(added ? [added] : [])]
  return {
    document: { lists, index, starterDigest: await starterDigest() },
    report: { hosts: writer.hosts, indexBytes, elapsedMs: performance.now() - startedAt },
  }
}

async function indexAll(
  writer: IndexWriter,
  files: readonly DomainFile[],
  onBytes: (bytes: number) => void,
): Promise<Map<CategoryId, Tally>> {
  const tallies = new Map<CategoryId, Tally>()
  for (const file of files) tallies.set(file.category, await indexDomains(writer, file, onBytes))
  return tallies
}

async function countBytes(
  files: readonly DomainFile[],
  onProgress: OnProgress | undefined,
): Promise<(bytes: number) => void> {
  if (onProgress === undefined) return () => {}
  const sizes = await Promise.all(
    files.map(({ file }) =>
      stat(file).then(
        ({ size }) => size,
        () => 0, // the reader says it better
      ),
    ),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  let read = 0
  return bytes => onProgress((read += bytes), { phase: 'index', total })
}

async function writeOrRemove(writer: IndexWriter, file: string): Promise<number> {
  try {
    return await writer.write(file)
  } catch (error) {
    await rm(`${file}.partial`, { force: true })
    throw error
  }
}

function describeStarter(tallies: ReadonlyMap<CategoryId, Tally>, now: number): ListInfo {
  // A host that the incoming list has too counts here as well: the lists are told apart.
  const counts = [...tallies].map(([id, { domains, duplicates }]) => [id, domains + duplicates])
  return {
    name: STARTER_NAME,
    folder: null,
    source: 'categories/starter',
    importedAt: now,
    counts: Object.fromEntries(counts),
    refusedLines: [...tallies.values()].reduce((sum, { refused }) => sum + refused, 0),
  }
}
