/** Fetches one source: download, update, and a note of how it went. A failure leaves the list in force as it is. */
import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { hasCode } from '../errors.ts'
import { CURRENT } from '../policy/document.ts'
import type { Credentials } from '../policy/credentials.ts'
import { sourceKey, type FetchStatus, type ListSource } from '../policy/list-source.ts'
import { checkChecksum } from './checksum.ts'
import { download, type Validators } from './download.ts'
import { claimFetch } from './fetch-claim.ts'
import { recordFailure, recordSuccess, type RecordDeps } from './fetch-record.ts'
import {
  updateList,
  type UpdateDeps,
  type UpdateOutcome,
  type UpdateRequest,
} from './update-list.ts'

export type FetchDeps = UpdateDeps & RecordDeps

export interface FetchRequest {
  readonly source: ListSource
  readonly by: string
  readonly mode: UpdateRequest['mode']
  readonly onProgress?: OnFetchProgress
}

export type OnFetchProgress = (
  done: number,
  progress: {
    readonly phase: 'download' | 'read' | 'index' | 'compare'
    readonly total?: number | undefined
  },
) => void

export interface FetchOutcome {
  /** `elsewhere`: another machine asks the source, or has just done so. */
  readonly kind: UpdateOutcome['kind'] | 'elsewhere'
  /** Absent when the source has answered that nothing has changed. */
  readonly update?: UpdateOutcome
  /** Of what has come; see `FetchStatus`. */
  readonly checksum?: FetchStatus['checksum']
}

const FOLDER = 'download-'
/** Who asks when nobody does. */
export const SCHEDULE = 'system'

/** Throws what `claimFetch` throws, and what `download` and `updateList` throw, once the failure is written down. */
export async function fetchSource(deps: FetchDeps, request: FetchRequest): Promise<FetchOutcome> {
  const { source, by } = request
  const claim = await claimFetch(deps, source.name, by, { isScheduled: by === SCHEDULE })
  if (claim === undefined) return { kind: 'elsewhere' }
  try {
    const { validators, ...outcome } = await fetchAndUpdate(deps, request)
    await recordSuccess(deps, { ...request, ...outcome, validators })
    return outcome
  } catch (error) {
    // The first failure is the one to tell of, not that it could not be written down.
    await recordFailure(deps, source.name, by, error).catch(() => undefined)
    throw error
  } finally {
    claim.stop()
  }
}

interface Fetched extends FetchOutcome {
  readonly kind: UpdateOutcome['kind']
  readonly validators?: Validators
}

async function fetchAndUpdate(
  deps: FetchDeps,
  { source, by, mode, onProgress }: FetchRequest,
): Promise<Fetched> {
  const { config } = deps
  const { downloadBytes, downloadTimeoutMs, parentProxy } = config.lists
  await sweep(config.dataDir, deps.clock() - 2 * downloadTimeoutMs)
  const folder = await mkdtemp(join(config.dataDir, FOLDER))
  try {
    const file = join(folder, fileNameOf(source))
    const options = {
      credentials: await credentialsOf(deps, source),
      maxBytes: downloadBytes,
      timeoutMs: downloadTimeoutMs,
      parentProxy,
      parents: config.parents,
      dial: config.dial,
      maxHeaderBytes: config.limits.maxAnswerHeaderBytes,
    }
    const answer = await download(source.url, {
      ...options,
      file,
      validators: await validatorsOf(deps, source),
      onProgress: (done, total) => onProgress?.(done, { phase: 'download', total }),
    })
    if (answer.kind === 'unchanged') return { kind: 'unchanged' }
    const checksum = await checkChecksum({ url: source.url, file, folder }, options)
    // What bears no date inside has that of the server, or none: that of the download would be no date of the list.
    await utimes(file, 0, dateOf(answer.validators) / 1_000)
    const update = await updateTwice(deps, {
      path: file,
      source: source.url,
      name: source.name,
      ...(source.category === null ? {} : { category: source.category }),
      format: source.format,
      by,
      mode,
      ...(onProgress === undefined ? {} : { onProgress }),
    })
    const { validators } = answer
    return { kind: update.kind, update, validators, ...(checksum && { checksum }) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function dateOf({ lastModified = '' }: Validators): number {
  const at = Date.parse(lastModified)
  return Number.isNaN(at) ? 0 : at
}

/** Somebody may change the lists while this reads; what was downloaded is still good for a second attempt. */
async function updateTwice(deps: FetchDeps, request: UpdateRequest): Promise<UpdateOutcome> {
  try {
    return await updateList(deps, request)
  } catch (error) {
    if (!hasCode(error, 'PREAU_CONFLICT')) throw error
    return updateList(deps, request)
  }
}

/** What the server of the source asks for: it stands with the source, which is known here without it. */
async function credentialsOf(
  { store, config }: FetchDeps,
  { name }: ListSource,
): Promise<Credentials | undefined> {
  const own = config.lists.sources.find(known => known.name === name)
  return (own ?? (await store.get('source', name))?.body)?.credentials
}

/** Validators are good only while what they brought is still there: the list may have been removed since. */
async function validatorsOf(
  { store }: FetchDeps,
  source: ListSource,
): Promise<Validators | undefined> {
  const status = (await store.get('fetch', source.name))?.body
  if (status?.url === undefined || status.source !== sourceKey(source)) return undefined
  const [lists, candidate] = await Promise.all([
    store.get('lists', CURRENT),
    store.get('candidate', CURRENT),
  ])
  const kept = [...(lists?.body.lists ?? []), ...(candidate?.body.version.lists ?? [])]
  if (!kept.some(({ name }) => name === source.name)) return undefined
  const { url, etag, lastModified } = status
  return {
    url,
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
  }
}

/** The name that refused lines are told with. */
function fileNameOf({ url, name }: ListSource): string {
  const last = basename(new URL(url).pathname)
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(last) ? last : name
}

/** What a process that was killed has left; nothing that may still be at work. */
async function sweep(dataDir: string, before: number): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(FOLDER)) continue
    const folder = join(dataDir, name)
    const isOld = await stat(folder).then(
      ({ mtimeMs }) => mtimeMs < before,
      () => false,
    )
    if (isOld) await rm(folder, { recursive: true, force: true })
  }
}
