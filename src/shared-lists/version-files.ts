/** The files that a version of the lists names, as the shared store and the folder of the lists know them. */
import { basename } from 'node:path'
import { ARRIVALS, filesOf } from '../categories/lists.ts'
import { PreauError } from '../errors.ts'
import type { ListInfo, ListsVersion } from '../policy/lists.ts'

export interface VersionFile {
  /** Below the folder of the lists, and in the store. */
  readonly name: string
  /** Some lists have no such file. */
  readonly isOptional: boolean
}

const PLAIN = /^\w[\w.-]*$/

/** A version comes from the store: no name in it leads out of the folder of the lists. Throws PREAU_FILE_NOT_SHARED. */
export function plain(name: string): string {
  if (PLAIN.test(name)) return name
  throw new PreauError('PREAU_FILE_NOT_SHARED', { name })
}

/** The kept texts of a list; the starter lists come with Préau and have none. */
export async function textsOf(list: ListInfo): Promise<VersionFile[]> {
  const { folder } = list
  if (folder === null) return []
  plain(folder)
  const kept = await filesOf('', list)
  return [
    ...kept.map(({ file }) => ({ name: `${folder}/${basename(file)}`, isOptional: false })),
    { name: `${folder}/${ARRIVALS}`, isOptional: true },
  ]
}

/** All files of a version, its index first. */
export async function filesOfVersion(version: ListsVersion): Promise<VersionFile[]> {
  const texts = await Promise.all(version.lists.map(list => textsOf(list)))
  return [{ name: plain(version.index), isOptional: false }, ...texts.flat()]
}
