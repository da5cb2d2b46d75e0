/**
 * The lists must stand before anything runs: built from the starter lists at the first start, again when they have vanished
 * or a new Préau brings other starter lists, and brought from the shared store where another machine has them.
 */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { buildStarter, indexFile, starterDigest } from './categories/lists.ts'
import type { Config } from './config.ts'
import { hasCode, PreauError } from './errors.ts'
import type { Catalogue } from './policy/category.ts'
import { CURRENT, type Change } from './policy/document.ts'
import { putInForce, type ListsDocument } from './policy/lists.ts'
import {
  bringIndex,
  bringTexts,
  isAboutOneFile,
  type BringOptions,
  type SharedFolder,
} from './shared-lists/bring.ts'
import { publishVersion } from './shared-lists/publish.ts'
import type { Store, Stored } from './store/store.ts'

export interface InstallLists {
  readonly store: Store
  readonly catalogue: Catalogue
  readonly config: Config
  /** Epoch ms. */
  readonly now: number
  readonly onProgress?: BringOptions['onProgress']
  /** Build without the lists whose files are lost: somebody has said so. */
  readonly mayLoseLists?: boolean
}

const BRING_MINUTES = 15
const MAX_REPLACED = 20

/** Throws PREAU_LISTS_ELSEWHERE, PREAU_LISTS_SLOW, and what building, the shared files and the store throw. */
export async function installLists(options: InstallLists): Promise<void> {
  const { store, config } = options
  const stored = await store.get('lists', CURRENT)
  const place = { dataDir: config.dataDir, files: store.files }
  if (stored !== undefined) await bring(options, place, stored.body, bringIndex)
  const isHere = stored !== undefined && existsSync(indexFile(config.dataDir, stored.body))
  if (isHere && !(await isOutdated(store, stored))) return
  if (stored !== undefined) await bring(options, place, stored.body, bringTexts)
  // A conflict means that another process did the same at the same time: what it has made is looked at anew.
  if (!(await build(options, place, stored))) await installLists(options)
}

/** What the store has not either may still be built from the texts that are here; without them, not over the head of a city. */
async function bring(
  { onProgress, mayLoseLists = false }: InstallLists,
  place: SharedFolder,
  lists: ListsDocument,
  files: typeof bringIndex,
): Promise<void> {
  const signal = AbortSignal.timeout(BRING_MINUTES * 60_000)
  try {
    await files(place, lists, { signal, onProgress })
  } catch (error) {
    if (signal.aborted) throw new PreauError('PREAU_LISTS_SLOW', { minutes: BRING_MINUTES })
    if (!isAboutOneFile(error)) throw error
    if (files === bringIndex || mayLoseLists) return
    throw error.code === 'PREAU_FILE_NOT_SHARED'
      ? new PreauError('PREAU_LISTS_ELSEWHERE', error.params)
      : error
  }
}

/**
 * Alone on its store a Préau uses its own starter lists. Of several machines with different versions each would put its own
 * in force again and again: starter lists that were replaced once do not come back.
 */
async function isOutdated(store: Store, { body }: Stored<'lists'>): Promise<boolean> {
  const digest = await starterDigest()
  if (body.starterDigest === digest) return false
  if (store.files === undefined) return true
  const installation = await store.get('installation', CURRENT)
  return !(installation?.body.replacedStarters ?? []).includes(digest)
}

/** False when somebody else was faster; nothing is left of it then. */
async function build(
  { store, catalogue, config, now }: InstallLists,
  place: SharedFolder,
  stored: Stored<'lists'> | undefined,
): Promise<boolean> {
  const { dataDir } = config
  const built = await buildStarter({ dataDir, current: stored?.body, catalogue, now })
  const { missing, ...version } = built
  await publishVersion(place, version)
  // The index of another format cannot be gone back to.
  const body = { ...putInForce(stored?.body, version, 'system', now), previous: null }
  const changes: Change[] = [
    { kind: 'lists', id: CURRENT, expects: stored?.version ?? 'absent', body },
    ...(await noteReplaced(store, stored?.body.starterDigest, version.starterDigest)),
  ]
  // Their texts are gone, and a filter without them is better than none: the journal must say so.
  const detail = missing.length === 0 ? {} : { detail: { missing: missing.join(', ') } }
  try {
    await store.commit({ by: 'system', action: 'lists.starter', at: now, ...detail }, changes)
    return true
  } catch (error) {
    if (!hasCode(error, 'PREAU_CONFLICT')) throw error
    await rm(indexFile(dataDir, version), { force: true })
    await place.files?.drop([version.index])
    return false
  }
}

async function noteReplaced(
  store: Store,
  before: string | undefined,
  after: string,
): Promise<Change[]> {
  if (store.files === undefined || before === undefined || before === after) return []
  const known = await store.get('installation', CURRENT)
  const replaced = known?.body.replacedStarters ?? []
  // Older ones that come back, because an index was lost everywhere, replace nothing.
  if (replaced.includes(after)) return []
  const replacedStarters = [...replaced.filter(digest => digest !== before), before].slice(
    -MAX_REPLACED,
  )
  const body = { ...known?.body, replacedStarters }
  return [{ kind: 'installation', id: CURRENT, expects: known?.version ?? 'absent', body }]
}
