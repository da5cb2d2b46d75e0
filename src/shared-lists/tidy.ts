/** Drops the files that no version names any more, on this machine and in the shared store. */
import { existsSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { dropUnreferenced, indexFile, listsFolder, namesIn } from '../categories/lists.ts'
import { CURRENT } from '../policy/document.ts'
import { FETCHING } from '../store/shared-files.ts'
import type { Store } from '../store/store.ts'

/** A file whose version is not committed yet looks like one that nobody needs: nothing takes longer than this. */
const ORPHAN_MS = 3_600_000

/** Call it after a commit of `lists`. Throws what reading a folder or the store throws; a leftover goes with the next call. */
export async function tidyLists(
  store: Pick<Store, 'get' | 'files'>,
  dataDir: string,
  now: number,
  signal?: AbortSignal,
): Promise<void> {
  const [lists, candidate] = await Promise.all([
    store.get('lists', CURRENT),
    store.get('candidate', CURRENT),
  ])
  if (lists === undefined) return
  const versions = { lists: lists.body, candidate: candidate?.body }
  const { files } = store
  if (files === undefined) return dropUnreferenced(dataDir, versions)
  // Until the index in force has come, what nobody names any more is what decides here.
  if (existsSync(indexFile(dataDir, lists.body)))
    await dropUnreferenced(dataDir, versions, now - ORPHAN_MS)
  await dropUnfinished(listsFolder(dataDir), now)
  const named = namesIn(versions)
  const orphans = [...(await files.list(signal))].filter(
    ([name, { ageMs }]) => ageMs > ORPHAN_MS && !named.has(name.split('/')[0] ?? ''),
  )
  await files.drop(orphans.map(([name]) => name))
}

/** What a process that was killed has left half fetched. */
async function dropUnfinished(folder: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(FETCHING)) continue
    const path = join(folder, name)
    const isOld = await stat(path).then(
      ({ mtimeMs }) => now - mtimeMs > ORPHAN_MS,
      () => false,
    )
    if (isOld) await rm(path, { recursive: true, force: true })
  }
}
