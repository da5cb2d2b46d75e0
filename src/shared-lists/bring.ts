/** Brings to this machine what it lacks of a version of the lists. Where one machine has the store to itself, nothing. */
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { indexFile, listsFolder } from '../categories/lists.ts'
import { syncFolder } from '../durable-file.ts'
import { hasCode, PreauError } from '../errors.ts'
import type { ListsVersion } from '../policy/lists.ts'
import { FETCHING, type SharedFile, type SharedFiles } from '../store/shared-files.ts'
import { plain, textsOf, type VersionFile } from './version-files.ts'

export interface SharedFolder {
  readonly dataDir: string
  /** undefined: this machine has the store to itself. */
  readonly files: SharedFiles | undefined
}

export interface BringOptions {
  /** Bytes that have come, of all that are on their way. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** The index alone, with which a version can be in force. Throws what `SharedFiles.fetch` throws. */
export async function bringIndex(
  { dataDir, files }: SharedFolder,
  version: ListsVersion,
  { onProgress, signal }: BringOptions = {},
): Promise<void> {
  const file = indexFile(dataDir, { index: plain(version.index) })
  if (files === undefined || existsSync(file)) return
  await mkdir(dirname(file), { recursive: true, mode: 0o750 })
  const total = (await files.list(signal)).get(version.index)?.bytes ?? 0
  await files.fetch(version.index, file, {
    signal,
    onProgress: bytes => onProgress?.(bytes, total),
  })
}

/** The kept texts: what is needed to build on this version, and to say which line decided. Throws as `bringIndex`. */
export async function bringTexts(
  place: SharedFolder,
  version: ListsVersion,
  options: BringOptions = {},
): Promise<void> {
  if (place.files === undefined) return
  for (const list of version.lists) {
    const { folder } = list
    if (folder !== null) await bringFolder(place, folder, await textsOf(list), options)
  }
}

/** The index and the texts. Throws as `bringIndex`. */
export async function bringVersion(
  place: SharedFolder,
  version: ListsVersion,
  options: BringOptions = {},
): Promise<void> {
  await bringIndex(place, version, options)
  await bringTexts(place, version, options)
}

/** Whether an error is about that file alone: another one may still be had. */
export const isAboutOneFile = (error: unknown): error is PreauError =>
  hasCode(error, 'PREAU_SHARED_FILE_DAMAGED', 'PREAU_FILE_NOT_SHARED')

async function bringFolder(
  { dataDir, files }: SharedFolder,
  folder: string,
  texts: readonly VersionFile[],
  options: BringOptions,
): Promise<void> {
  const target = join(listsFolder(dataDir), folder)
  const isThere = existsSync(target)
  // A folder gets its name when it is whole: what may be absent is then known to be.
  const missing = texts.filter(({ name, isOptional }) =>
    isThere ? !isOptional && !existsSync(join(target, basename(name))) : true,
  )
  if (files === undefined || missing.length === 0) return
  const known = await files.list(options.signal)
  const lost = missing.find(({ name, isOptional }) => !isOptional && !known.has(name))
  if (lost !== undefined) throw new PreauError('PREAU_FILE_NOT_SHARED', { name: lost.name })
  const wanted = missing.flatMap(({ name }): [string, SharedFile][] => {
    const file = known.get(name)
    return file === undefined ? [] : [[name, file]]
  })
  const into = isThere ? target : `${target}.${randomBytes(4).toString('hex')}${FETCHING}`
  await mkdir(into, { recursive: true, mode: 0o750 })
  try {
    await fetchAll(files, wanted, into, options)
    if (!isThere) await giveName(into, target)
  } finally {
    if (!isThere) await rm(into, { recursive: true, force: true })
  }
}

async function fetchAll(
  files: SharedFiles,
  wanted: readonly (readonly [string, SharedFile])[],
  into: string,
  { onProgress, signal }: BringOptions,
): Promise<void> {
  const total = wanted.reduce((sum, [, { bytes }]) => sum + bytes, 0)
  let done = 0
  for (const [name, { bytes }] of wanted) {
    await files.fetch(name, join(into, basename(name)), {
      signal,
      onProgress: at => onProgress?.(done + at, total),
    })
    done += bytes
  }
}

/** Another process of this machine may have been faster: what it brought is the same. */
async function giveName(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
  }
  await syncFolder(dirname(to))
}
