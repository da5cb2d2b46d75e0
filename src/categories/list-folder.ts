/** The names of what stands below `<dataDir>/lists/`: index files and folders of kept lists, each with a time-ordered id. */
import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { CategoryId } from '../policy/category.ts'
import type { ListInfo, ListsDocument } from '../policy/lists.ts'
import type { DomainFile } from './reading/index-lists.ts'
import { starterFiles } from './starter.ts'

export const listsFolder = (dataDir: string): string => join(dataDir, 'lists')

/** The path of the index that a document names, for `openCategoryIndex`. */
export function indexFile(dataDir: string, document: ListsDocument): string {
  return join(listsFolder(dataDir), document.index)
}

/** Nine base-36 digits of milliseconds sort by time until the year 5188. */
export function newListId(now: number): string {
  return `${now.toString(36).padStart(9, '0')}-${randomBytes(3).toString('hex')}`
}

/** The name of a kept file of domains. */
export const fileName = (category: CategoryId): string => `${category}.txt`

/** The kept files of a list, one per category. */
export async function filesOf(dataDir: string, list: ListInfo): Promise<DomainFile[]> {
  if (list.folder === null)
    return (await starterFiles()).filter(file => file.category in list.counts)
  const folder = join(listsFolder(dataDir), list.folder)
  return Object.keys(list.counts).map(category => ({
    category,
    file: join(folder, fileName(category)),
  }))
}

const NAME = /-([0-9a-z]{9}-[0-9a-f]{6})(\.bin)?(\.partial)?$/

/**
 * Deletes the index files and folders that the document does not name, but for the newest index before it (a process may
 * be opening it) and for all that is newer than it (an import that runs now). Call it after the commit of `document`.
 */
export async function dropUnreferenced(dataDir: string, document: ListsDocument): Promise<void> {
  const folder = listsFolder(dataDir)
  const current = NAME.exec(document.index)?.[1]
  if (current === undefined) return
  const named = new Set([document.index, ...document.lists.map(list => list.folder)])
  const old = (await readdir(folder))
    .map(name => ({ name, match: NAME.exec(name) }))
    .filter(({ name, match }) => (match?.[1] ?? current) < current && !named.has(name))
  const previous = old
    .filter(({ match }) => match?.[2] !== undefined && match[3] === undefined)
    .sort((a, b) => ((a.match?.[1] ?? '') < (b.match?.[1] ?? '') ? 1 : -1))[0]
  for (const { name } of old) {
    if (name !== previous?.name) await rm(join(folder, name), { recursive: true, force: true })
  }
}
