/**
 * What may be done to the lists: import one, remove one, build the starter. Each returns the version to put in force, with its
 * index already on the disk; nothing that the current version names is touched, so a failure changes nothing.
 */
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PreauError, type Words } from '../errors.ts'
import type { CategoryId } from '../policy/category.ts'
import type { ListInfo, ListsVersion } from '../policy/lists.ts'
import type { SourceFormat } from '../policy/list-source.ts'
import { buildIndex, type ListsContext } from './build-index.ts'
import { findCategory } from './catalogue.ts'
import { syncFolder } from '../durable-file.ts'
import { besideOf, createReport, describeList, listName } from './reading/import-report.ts'
import type { ImportReport } from './reading/import-report.ts'
import { completeList, historyOf, noteArrivals } from './list-history.ts'
import { fileName, hasFiles, listsFolder, newListId } from './list-folder.ts'
import { readArchive, readDomainFile, readFolder } from './reading/read-source.ts'
import { refused } from './reading/refusal.ts'
import { sourceKind, type Recognised, type SourceKind } from './reading/source-kind.ts'
import { STARTER_NAME } from './starter.ts'
import { UNPACK_LIMITS, Unpacking, type UnpackLimits } from './reading/unpacking.ts'

export { explainHost, type ListMatch, type ListsInForce } from './explain-host.ts'
export type { ImportReport } from './reading/import-report.ts'
export { ARRIVALS } from './arrivals.ts'
export {
  dropUnreferenced,
  filesOf,
  indexFile,
  listsFolder,
  namesIn,
  type NamedVersions,
} from './list-folder.ts'
export { starterDigest } from './starter.ts'

export interface ImportRequest extends ListsContext {
  /** An archive (tar), an unpacked folder, or a file of domains; archive and file perhaps in gzip. */
  readonly path: string
  /** Where it came from, as the person wrote it, when that is not the path. */
  readonly source?: string
  /** The category of a file of domains, by its id or an alias; an archive or folder names its own. */
  readonly category?: string
  /** What the content must be; absent or `auto`: as its first bytes say. */
  readonly format?: SourceFormat
  /** The name of the list; a list of that name is replaced. */
  readonly name?: string
  readonly limits?: UnpackLimits
}

/** Archives that are made anew bear 0, the beginning of 1980 or another date from before there were such lists. */
const OLDEST_DATE = Date.UTC(1995, 0)

const invalid = (field: string, detail: Words): PreauError =>
  new PreauError('PREAU_INVALID_INPUT', { field, detail })

/**
 * Imports a list. Throws PREAU_LIST_REFUSED (naming the entry), PREAU_FILE_UNREADABLE or PREAU_INVALID_INPUT, and then
 * leaves no file behind. Give the version of `current` as `expects` of the commit: of two imports at once the second fails.
 */
export async function importList(
  request: ImportRequest,
): Promise<{ version: ListsVersion; report: ImportReport }> {
  const startedAt = performance.now()
  const { dataDir, current, path, now, source = path } = request
  const recognised = await sourceKind(path, request.format ?? 'auto', source)
  const { kind } = recognised
  const category = chooseCategory(request, kind)
  // The name may depend on what is inside, so the folder gets it only once it was read.
  const id = newListId(now)
  let target = join(listsFolder(dataDir), `reading-${id}`)
  await mkdir(target, { recursive: true, mode: 0o750 })
  try {
    const into = new Unpacking(source, target, request.catalogue, request.limits ?? UNPACK_LIMITS)
    await read(request, recognised, category, into)
    const name = listName(request.name, source, into.isUt1)
    if (into.kept.length === 0)
      throw refused(source, {
        fr: 'aucune catégorie connue',
        en: 'no category that the catalogue knows',
      })
    const folder = `${name}-${id}`
    target = await renameDurably(target, join(listsFolder(dataDir), folder))
    const files = into.kept.map(({ category: known, kind: what }) => ({
      category: known,
      kind: what,
      file: join(target, fileName(known, what)),
    }))
    const kept = keptLists(current, name)
    const report = createReport({ name, kind, into, request })
    const history = historyOf(current, name, into.kept, now)
    if (current !== undefined)
      await noteArrivals({ ...request, before: current, name, folder: target, files })
    const built = await buildIndex(request, kept, {
      name,
      files,
      describe: tallies => {
        report.judge(tallies)
        const { newestAt: contentAt } = into
        const isDate = contentAt >= OLDEST_DATE && contentAt <= now
        const dates = { importedAt: now, ...(isDate ? { contentAt } : {}) }
        const known = { name, folder, source, ...dates, ...history }
        return describeList(known, tallies, besideOf(into))
      },
    })
    const elapsedMs = performance.now() - startedAt
    return { version: built.version, report: report.finish({ ...built.report, elapsedMs }) }
  } catch (error) {
    await rm(target, { recursive: true, force: true })
    throw error
  }
}

function chooseCategory(request: ImportRequest, kind: SourceKind): CategoryId | undefined {
  const { category, catalogue } = request
  if (kind !== 'file') {
    if (category === undefined) return undefined
    throw invalid('--category', {
      fr: 'une archive ou un dossier nomme lui-même ses catégories',
      en: 'an archive or a folder names its categories itself',
    })
  }
  const allowed = [...catalogue.keys()].join(', ')
  if (category === undefined)
    throw invalid('--category', {
      fr: `un fichier de domaines demande une de ces catégories : ${allowed}`,
      en: `a file of domains needs one of: ${allowed}`,
    })
  const id = findCategory(category, catalogue)
  if (id === undefined)
    throw invalid('--category', {
      fr: `inconnue ; au choix : ${allowed}`,
      en: `unknown; allowed: ${allowed}`,
    })
  return id
}

async function read(
  { path, onProgress }: ImportRequest,
  { kind, gzips }: Recognised,
  category: CategoryId | undefined,
  into: Unpacking,
): Promise<void> {
  const onBytes = (bytes: number, total?: number): void =>
    onProgress?.(bytes, { phase: 'read', ...(total === undefined ? {} : { total }) })
  if (category !== undefined) await readDomainFile({ path, gzips }, category, into)
  else if (kind === 'archive') await readArchive({ path, gzips }, into, onBytes)
  else await readFolder(path, into, onBytes)
}

async function renameDurably(from: string, to: string): Promise<string> {
  await syncFolder(from)
  await rename(from, to)
  await syncFolder(dirname(to))
  return to
}

/** The lists that stay: not the starter, which is read anew, and not the one that is replaced. */
function keptLists(current: ListsVersion | undefined, without?: string): ListInfo[] {
  return (current?.lists ?? [])
    .filter(({ name }) => name !== STARTER_NAME && name !== without)
    .map(completeList)
}

/** Removes a list. Throws PREAU_INVALID_INPUT when there is none of that name, or it is the starter. */
export async function removeList(
  request: ListsContext & { readonly name: string },
): Promise<ListsVersion> {
  const { current, name } = request
  if (name === STARTER_NAME) {
    throw invalid('name', {
      fr: 'les listes de départ sont fournies avec Préau',
      en: 'the starter lists come with Préau',
    })
  }
  const names = (current?.lists ?? []).map(list => list.name)
  if (!names.includes(name)) {
    throw invalid('name', {
      fr: `pas de liste « ${name} » ; en service : ${names.join(', ')}`,
      en: `no list "${name}"; known: ${names.join(', ')}`,
    })
  }
  return (await buildIndex(request, keptLists(current, name))).version
}

/**
 * Builds the index anew from the starter lists and the kept ones: at a first start, or when `starterDigest()` changed. A list
 * whose files are gone is left out and named in `missing`, because a filter without it is better than none.
 */
export async function buildStarter(
  context: ListsContext,
): Promise<ListsVersion & { readonly missing: readonly string[] }> {
  const lists = keptLists(context.current)
  const areThere = await Promise.all(lists.map(list => hasFiles(context.dataDir, list)))
  const { version } = await buildIndex(
    context,
    lists.filter((_, at) => areThere[at]),
  )
  const missing = lists.filter((_, at) => !areThere[at]).map(({ name }) => name)
  return { ...version, missing }
}
