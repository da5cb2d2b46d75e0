/** The files that a version of the lists names, as the shared store and the folder of the lists know them. */
import { basename } from 'node:path'
import { ARRIVALS, filesOf } from '../categories/lists.ts'
import type { ListInfo, ListsVersion } from '../policy/lists.ts'

export interface VersionFile {
  /** Below the folder of the lists, and in the store. */
  readonly name: string
  /** Some lists have no such file. */
  readonly isOptional: boolean
}

/** The kept texts of a list; the starter lists come with Préau and have none. */
export async function textsOf(list: ListInfo): Promise<VersionFile[]> {
  const { folder } = list
  if (folder === null) return []
  const kept = await filesOf('', list)
  return [
    ...kept.map(({ file }) => ({ name: `${folder}/${basename(file)}`, isOptional: false })),
    { name: `${folder}/${ARRIVALS}`, isOptional: true },
  ]
}

/** All files of a version, its index first. */
export async function filesOfVersion(version: ListsVersion): Promise<VersionFile[]> {
  const texts = await Promise.all(version.lists.map(list => textsOf(list)))
  return [{ name: version.index, isOptional: false }, ...texts.flat()]
}
