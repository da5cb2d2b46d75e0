/** The names of what stands below `<dataDir>/lists/`: index files and folders of kept lists, each with a time-ordered id. */
import { randomBytes } from 'node:crypto'
import { access, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { CategoryId } from '../policy/category.ts'
import type { CandidateDocument, ListInfo, ListsDocument, ListsVersion } from '../policy/lists.ts'
import type { ListFile } from './reading/index-lists.ts'
import { starterFiles } from './starter.ts'

export const listsFolder = (dataDir: string): string => join(dataDir, 'lists')

/** The path of the index of a version, for `openCategoryIndex`. */
export function indexFile(dataDir: string, { index }: Pick<ListsVersion, 'index'>): string {
  return join(listsFolder(dataDir), index)
}

/** Nine base-36 digits of milliseconds sort by time until the year 5188. */
export function newListId(now: number): string {
  return `${now.toString(36).padStart(9, '0')}-${randomBytes(3).toString('hex')}`
}

/** The name of a kept file. */
export function fileName(category: CategoryId, kind: ListFile['kind'] = 'domains'): string {
  return kind === 'domains' ? `${category}.txt` : `${category}.${kind}.txt`
}

/** The kept files of a list, one per category and kind. */
export async function filesOf(dataDir: string, list: ListInfo): Promise<ListFile[]> {
  if (list.folder === null)
    return (await starterFiles()).filter(file => file.category in list.counts)
  const folder = join(listsFolder(dataDir), list.folder)
  const of = (kind: ListFile['kind'], counts: ListInfo['counts']): ListFile[] =>
    Object.keys(counts).map(category => ({
      category,
      kind,
      file: join(folder, fileName(category, kind)),
    }))
  return [
    ...of('domains', list.counts),
    ...of('urls', list.urls),
    ...of('expressions', list.expressions),
  ]
}

/** False when a kept file of the list is gone: somebody has deleted it by hand. */
export async function hasFiles(dataDir: string, list: ListInfo): Promise<boolean> {
  const found = (await filesOf(dataDir, list)).map(async ({ file }) =>
    access(file).then(
      () => true,
      // One that is there and cannot be read is told by whoever reads it.
      (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
    ),
  )
  return (await Promise.all(found)).every(Boolean)
}

const NAME = /-([0-9a-z]{9}-[0-9a-f]{6})(\.bin)?(\.partial)?$/

/** What counts when leftovers are looked for. */
export interface NamedVersions {
  readonly lists: ListsDocument
  readonly candidate?: CandidateDocument | undefined
}

/** The indexes and folders of the version in force, of the one to go back to, and of a candidate. */
export function namesIn({ lists, candidate }: NamedVersions): ReadonlySet<string> {
  const versions = [lists, lists.previous ?? [], candidate?.version ?? []].flat()
  return new Set(
    versions.flatMap(version => [
      version.index,
      ...version.lists.flatMap(({ folder }) => folder ?? []),
    ]),
  )
}

/**
 * Deletes the indexes and folders that nothing names any more: neither the version in force, nor the one to go back to,
 * nor a candidate. What is newer than the version in force stays, because an import may be at work. Call it after the
 * commit of `lists`. `before` (epoch ms): only what was written before. Ids come from the clocks of all machines that
 * share a store, and what is at work here may be older by its id than what another one has put in force.
 */
export async function dropUnreferenced(
  dataDir: string,
  versions: NamedVersions,
  before = Infinity,
): Promise<void> {
  const folder = listsFolder(dataDir)
  const current = NAME.exec(versions.lists.index)?.[1]
  if (current === undefined) return
  const named = namesIn(versions)
  const old = (await readdir(folder)).filter(
    name => (NAME.exec(name)?.[1] ?? current) < current && !named.has(name),
  )
  for (const name of old) {
    const path = join(folder, name)
    if (before === Infinity || (await writtenAt(path)) < before)
      await rm(path, { recursive: true, force: true })
  }
}

/** Infinity for what another process has just taken away. */
const writtenAt = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Infinity,
  )
