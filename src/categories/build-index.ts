/** Builds the index of a set of lists: the starter lists, those that are kept, and the one that comes in. */
import { mkdir, rm, stat } from 'node:fs/promises'
import type { Catalogue, CategoryId } from '../policy/category.ts'
import type { Remarks, ListInfo, ListsVersion } from '../policy/lists.ts'
import { syncFolder } from '../durable-file.ts'
import { IndexWriter, type Sealed } from './index/index-writer.ts'
import { indexFile, filesOf, listsFolder, newListId } from './list-folder.ts'
import { readExpressions } from './reading/expression-line.ts'
import { indexDomains, indexPages } from './reading/index-lists.ts'
import type { DomainFile, ListFile, Tally } from './reading/index-lists.ts'
import { suffixFilter } from './reading/public-suffix.ts'
import { STARTER_NAME, starterDigest, starterFiles } from './starter.ts'

/** Told of the work as it goes on, in bytes. `total` is absent where it is not known. */
export type OnProgress = (
  bytes: number,
  progress: { readonly phase: 'read' | 'index'; readonly total?: number },
) => void

/** What stays the same for every change of the lists. `now` is epoch ms. */
export interface ListsContext {
  readonly dataDir: string
  /** The version whose other lists are kept. */
  readonly current: ListsVersion | undefined
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

/** What the lines of a kept file were. `distinct`: entries, each counted once. */
export interface Tallied extends Tally {
  readonly category: CategoryId
  readonly kind: ListFile['kind']
  readonly distinct: number
}

/** A list that comes in: told its tallies, it says what the version shall hold, or refuses. */
export interface Incoming {
  readonly name: string
  readonly files: readonly ListFile[]
  readonly describe: (tallies: readonly Tallied[]) => ListInfo
}

/**
 * Writes a new index of the starter lists, of `kept` and of `incoming`, and returns the version that names it. Nothing is
 * committed and no other file is touched; when it throws, no index is left.
 */
export async function buildIndex(
  context: ListsContext,
  kept: readonly ListInfo[],
  incoming?: Incoming,
): Promise<{ version: ListsVersion; report: IndexReport }> {
  const startedAt = performance.now()
  const { dataDir, catalogue, now } = context
  await mkdir(listsFolder(dataDir), { recursive: true, mode: 0o750 })
  await syncFolder(dataDir)
  const work = await gather(context, kept, incoming)
  const onBytes = await countBytes(work, context.onProgress)
  const writer = new IndexWriter()
  const read: (Work & Tally & { readonly tag: number })[] = []
  for (const item of work) {
    if (!catalogue.has(item.category)) continue
    const suffixes = suffixFilter(item.category, catalogue)
    read.push({ ...item, ...(await indexFileOf(writer, item, { suffixes, onBytes })) })
  }
  const sealed = writer.seal()
  const tallied = (list: string): Tallied[] =>
    read
      .filter(item => item.list === list)
      .map(item => ({ ...item, distinct: distinctOf(item, sealed) }))
  const added = incoming?.describe(tallied(incoming.name))
  const id = newListId(now)
  const index = `index-${id}.bin`
  const indexBytes = await writeOrRemove(writer, indexFile(dataDir, { index }))
  const starter = describeStarter(tallied(STARTER_NAME), now)
  const version: ListsVersion = {
    id,
    builtAt: now,
    lists: [
      starter,
      ...kept.map(list => ({ ...list, remarks: remarksOf(tallied(list.name), list.remarks) })),
      ...(added ? [added] : []),
    ],
    index,
    hosts: sealed.hosts,
    starterDigest: await starterDigest(),
  }
  const elapsedMs = performance.now() - startedAt
  return { version, report: { hosts: sealed.hosts, indexBytes, elapsedMs } }
}

interface Work extends ListFile {
  readonly list: string
}

const workOf = (list: string, files: readonly ListFile[]): Work[] =>
  files.map(file => ({ ...file, list }))

async function gather(
  { dataDir }: ListsContext,
  kept: readonly ListInfo[],
  incoming: Incoming | undefined,
): Promise<Work[]> {
  const others = await Promise.all(
    kept.map(async list => workOf(list.name, await filesOf(dataDir, list))),
  )
  const fresh = incoming === undefined ? [] : workOf(incoming.name, incoming.files)
  return [...fresh, ...workOf(STARTER_NAME, await starterFiles()), ...others.flat()]
}

async function indexFileOf(
  writer: IndexWriter,
  { list, category, kind, file }: Work,
  { suffixes, onBytes }: Pick<DomainFile, 'suffixes' | 'onBytes'>,
): Promise<Tally & { tag: number }> {
  if (kind === 'expressions')
    return { ...(await readExpressions(file, undefined, onBytes)), tag: -1 }
  if (kind === 'domains') {
    const tag = writer.tag({ list, category, kind: 'host' })
    return { ...(await indexDomains(writer, { file, tag, suffixes, onBytes })), tag }
  }
  const page = writer.tag({ list, category, kind: 'page' })
  const host = writer.tag({ list, category, kind: 'page-host' })
  return { ...(await indexPages(writer, { page, host }, file, onBytes)), tag: page }
}

function distinctOf({ tag, names }: { tag: number; names: number }, { counts }: Sealed): number {
  return tag === -1 ? names : (counts.get(tag) ?? 0)
}

async function countBytes(
  files: readonly ListFile[],
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

/** Entries per category of one kind; a category without any is left out. */
export function countsOf(
  tallies: readonly Tallied[],
  kind: ListFile['kind'],
): Record<CategoryId, number> {
  return Object.fromEntries(
    tallies.flatMap(tally =>
      tally.kind === kind && tally.distinct > 0 ? [[tally.category, tally.distinct]] : [],
    ),
  )
}

const MAX_NAMED = 50
const MAX_EXAMPLES = 5

/** What there is to tell of the lines, and of the source beside them. */
export function remarksOf(
  tallies: readonly Tallied[],
  known: Pick<Remarks, 'categories' | 'files' | 'fileNames'> = NOTHING_LEFT,
): Remarks {
  const { categories, files, fileNames } = known
  const sum = (key: 'left' | 'suffixLines' | 'serviceLines'): number =>
    tallies.reduce((total, tally) => total + tally[key], 0)
  const named = (key: 'suffixes' | 'services'): Remarks['suffixes'] =>
    tallies
      .flatMap(tally => tally[key].map(host => ({ host, category: tally.category })))
      .slice(0, MAX_NAMED)
  const leftSamples = tallies.flatMap(tally => tally.leftSamples.map(({ text }) => text))
  return {
    lines: sum('left'),
    examples: leftSamples.slice(0, MAX_EXAMPLES),
    suffixes: named('suffixes'),
    suffixLines: sum('suffixLines'),
    services: named('services'),
    serviceLines: sum('serviceLines'),
    categories: categories.slice(0, MAX_NAMED),
    files,
    fileNames: fileNames.slice(0, MAX_EXAMPLES),
  }
}

const NOTHING_LEFT = { categories: [], files: 0, fileNames: [] }

function describeStarter(tallies: readonly Tallied[], now: number): ListInfo {
  return {
    name: STARTER_NAME,
    folder: null,
    source: 'categories/starter',
    importedAt: now,
    firstImportedAt: now,
    since: {},
    counts: countsOf(tallies, 'domains'),
    urls: {},
    expressions: {},
    refusedLines: tallies.reduce((sum, { refused }) => sum + refused, 0),
  }
}
