/** Puts the files of a version into the shared store. Always before the commit that names them: a stop between leaves orphans only. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { listsFolder, type NamedVersions } from '../categories/lists.ts'
import type { ListsVersion } from '../policy/lists.ts'
import type { SharedFolder } from './bring.ts'
import { filesOfVersion } from './version-files.ts'

/** Throws PREAU_STORE_UNAVAILABLE, and what reading a file of the version throws: one that cannot be whole elsewhere. */
export async function publishVersion(
  { dataDir, files }: SharedFolder,
  version: ListsVersion,
): Promise<void> {
  if (files === undefined) return
  const known = await files.list()
  for (const { name, isOptional } of await filesOfVersion(version)) {
    const path = join(listsFolder(dataDir), name)
    if (known.has(name) || (isOptional && !existsSync(path))) continue
    await files.put(name, path)
  }
}

/** What this machine has of the versions and the store has not: after `store copy`, or when Redis came back without it. */
export async function publishMissing(
  { dataDir, files }: SharedFolder,
  { lists, candidate }: NamedVersions,
  signal: AbortSignal,
): Promise<void> {
  if (files === undefined) return
  const known = await files.list(signal)
  const versions = [lists, lists.previous ?? [], candidate?.version ?? []].flat()
  const named = await Promise.all(versions.map(version => filesOfVersion(version)))
  const missing = new Set(named.flat().flatMap(({ name }) => (known.has(name) ? [] : name)))
  for (const name of missing) {
    const path = join(listsFolder(dataDir), name)
    if (existsSync(path)) await files.put(name, path, { signal })
  }
}
