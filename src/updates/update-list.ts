/** An update of a list: built aside, tried, then put in force at once or left waiting for a person. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { importList, indexFile, listsFolder } from '../categories/lists.ts'
import type { ImportReport } from '../categories/lists.ts'
import { haveSamePages } from '../categories/same-pages.ts'
import { hasCode, PreauError } from '../errors.ts'
import { CURRENT, type Change } from '../policy/document.ts'
import { putInForce, type CandidateDocument, type ListsVersion } from '../policy/lists.ts'
import type { SourceFormat } from '../policy/list-source.ts'
import { holdReasons, type HoldReason, type Rehearsal } from '../policy/rehearsal.ts'
import { bringVersion, type SharedFolder } from '../shared-lists/bring.ts'
import { publishVersion } from '../shared-lists/publish.ts'
import { tidyLists } from '../shared-lists/tidy.ts'
import type { Stored } from '../store/store.ts'
import { rehearse, type UpdateDeps } from './rehearse.ts'

export type { UpdateDeps } from './rehearse.ts'

export interface UpdateRequest {
  /** A file or folder on the disk. */
  readonly path: string
  /** Where it came from, as people know it. */
  readonly source: string
  readonly name?: string
  readonly category?: string
  readonly format?: SourceFormat
  readonly by: string
  /** `auto`: in force when it changes little; `activate`: in any case; `hold`: not before a person says so. */
  readonly mode: 'auto' | 'activate' | 'hold'
  readonly onProgress?: OnUpdateProgress
}

export type OnUpdateProgress = (
  done: number,
  progress: { readonly phase: 'read' | 'index' | 'compare'; readonly total?: number },
) => void

export interface UpdateOutcome {
  /** `unchanged`: in force, and the same as what was. */
  readonly kind: 'activated' | 'waiting' | 'unchanged'
  readonly report: ImportReport
  readonly version: ListsVersion
  /** Absent for the first import of a list: there is nothing to compare it with. */
  readonly rehearsal?: Rehearsal
  readonly holds: readonly HoldReason[]
}

/**
 * Imports a list and commits what follows from it. An update that comes while another waits is built on top of that one,
 * unless it is to be put in force at once: what waits then is dropped, since it was tried against a version that goes.
 * Throws what `importList` throws, and PREAU_CONFLICT when the lists changed meanwhile; nothing has changed then.
 */
export async function updateList(deps: UpdateDeps, request: UpdateRequest): Promise<UpdateOutcome> {
  const { store, config, catalogue, clock } = deps
  const lists = await store.get('lists', CURRENT)
  if (lists === undefined) throw new PreauError('PREAU_NOT_FOUND')
  const waiting = await store.get('candidate', CURRENT)
  const stands = waiting?.body.base === lists.body.id ? waiting.body : undefined
  // Who says "activate" of one list has not looked at the update of another: that one must be prepared anew.
  const isOfAnother = stands !== undefined && stands.list !== request.name
  const below = request.mode === 'activate' && isOfAnother ? undefined : stands
  const place = { dataDir: config.dataDir, files: store.files }
  await bringVersion(place, lists.body)
  if (below !== undefined) await bringVersion(place, below.version)
  const { path, source, name, category, format, onProgress } = request
  const { version, report } = await importList({
    dataDir: config.dataDir,
    current: below?.version ?? lists.body,
    catalogue,
    now: clock(),
    path,
    source,
    ...(name === undefined ? {} : { name }),
    ...(category === undefined ? {} : { category }),
    ...(format === undefined ? {} : { format }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
  try {
    const tried = await tryOut(deps, request, { lists, below, version, name: report.name })
    await publishVersion(place, version)
    await commit(deps, request, { lists, waiting, version, tried, name: report.name })
    // The change is made by then: a leftover that resists goes with the next one.
    await tidyLists(store, config.dataDir, clock()).catch(() => undefined)
    return { report, version, ...tried }
  } catch (error) {
    if (mayBeCommitted(error)) throw error
    await discard(place, version, report.name)
    const isOvertaken = (await store.get('lists', CURRENT))?.version !== lists.version
    if (!isOvertaken) throw error
    // Whoever was faster may have taken files of this one away: that is the cause, not the file that is missed.
    throw new PreauError('PREAU_CONFLICT', { kind: 'lists', id: CURRENT }, { cause: error })
  }
}

/** Where the store fell silent nobody knows: files that the version in force may name stay, and are tidied up later. */
const mayBeCommitted = (error: unknown): boolean => hasCode(error, 'PREAU_STORE_UNAVAILABLE')

type Tried = Pick<UpdateOutcome, 'kind' | 'holds' | 'rehearsal'>

interface Built {
  readonly lists: Stored<'lists'>
  readonly below: CandidateDocument | undefined
  readonly version: ListsVersion
  readonly name: string
}

async function tryOut(
  deps: UpdateDeps,
  { mode, onProgress }: UpdateRequest,
  { lists, below, version, name }: Built,
): Promise<Tried> {
  const known = lists.body.lists.find(list => list.name === name)
  const isFirst = known === undefined && below === undefined
  if (isFirst && mode !== 'hold') return { kind: 'activated', holds: [] }
  onProgress?.(0, { phase: 'compare' })
  const rehearsal = await rehearse(deps, lists.body, version)
  const isAsked = mode === 'hold' || (below?.holds.some(({ kind }) => kind === 'asked') ?? false)
  const holds: HoldReason[] = [
    ...(isAsked ? [{ kind: 'asked' } as const] : []),
    ...(below !== undefined && below.list !== name ? [{ kind: 'waiting' } as const] : []),
    ...holdReasons(rehearsal, deps.config.lists),
  ]
  if (holds.length > 0 && mode !== 'activate') return { kind: 'waiting', holds, rehearsal }
  const next = version.lists.find(list => list.name === name)
  const isSame =
    known !== undefined &&
    next !== undefined &&
    rehearsal.categories.length === 0 &&
    (await haveSamePages(deps.config.dataDir, known, next))
  return { kind: isSame ? 'unchanged' : 'activated', holds: [], rehearsal }
}

interface Decided {
  readonly lists: Stored<'lists'>
  readonly waiting: Stored<'candidate'> | undefined
  readonly version: ListsVersion
  readonly tried: Tried
  readonly name: string
}

async function commit(
  { store, clock }: UpdateDeps,
  { by, source }: UpdateRequest,
  { lists, waiting, version, tried, name }: Decided,
): Promise<void> {
  const at = clock()
  const note = { by, subject: name, detail: { source: source.slice(0, 500), hosts: version.hosts } }
  if (tried.kind === 'waiting' && tried.rehearsal !== undefined) {
    const body: CandidateDocument = {
      version,
      base: lists.body.id,
      list: name,
      by,
      rehearsal: tried.rehearsal,
      holds: tried.holds,
    }
    const expects = waiting?.version ?? 'absent'
    await store.commit({ ...note, action: 'lists.candidate', at }, [
      { kind: 'candidate', id: CURRENT, expects, body },
      // Unchanged, but no update may wait that was tried against another version.
      { kind: 'lists', id: CURRENT, expects: lists.version, body: lists.body },
    ])
    return
  }
  const next = putInForce(lists.body, version, by, at)
  // To go back from an update that changed nothing would change nothing either.
  const body = tried.kind === 'unchanged' ? { ...next, previous: lists.body.previous } : next
  const changes: Change[] = [{ kind: 'lists', id: CURRENT, expects: lists.version, body }]
  if (waiting !== undefined)
    changes.push({ kind: 'candidate', id: CURRENT, expects: waiting.version, body: null })
  await store.commit({ ...note, action: 'lists.import', at }, changes)
}

async function discard(
  { dataDir, files }: SharedFolder,
  version: ListsVersion,
  name: string,
): Promise<void> {
  const folder = version.lists.find(list => list.name === name)?.folder
  await rm(indexFile(dataDir, version), { force: true })
  if (typeof folder === 'string')
    await rm(join(listsFolder(dataDir), folder), { recursive: true, force: true })
  // What was published of it is an orphan: it goes with the next tidying, an hour from now.
  await files?.drop([version.index]).catch(() => undefined)
}
