/** The three kinds of sources of a list: an archive as UT1's, the same unpacked, a file of domains. Streams only. */
import { createReadStream } from 'node:fs'
import { lstat, opendir, readlink, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, type Gunzip } from 'node:zlib'
import { extract as createExtract, type Header } from 'tar-stream'
import { detailOf } from '../../error-detail.ts'
import { PreauError, type Words } from '../../errors.ts'
import type { CategoryId } from '../../policy/category.ts'
import { asUtf8, type Chunks } from './chunks.ts'
import { refused, unreadable } from './refusal.ts'
import type { Unpacking } from './unpacking.ts'
import { MAX_DEPTH } from './ut1-layout.ts'

const notAFile = (type: string): Words => ({
  fr: `pas un fichier ordinaire (${type})`,
  en: `not an ordinary file (${type})`,
})

/** Told of the bytes read so far, out of `total`; a folder tells no total. */
export type OnBytes = (bytes: number, total?: number) => void

/** A file, and how often it is wrapped in gzip. */
export interface Wrapped {
  readonly path: string
  readonly gzips: number
}

const layersOf = ({ gzips }: Wrapped): Gunzip[] =>
  Array.from({ length: gzips }, () => createGunzip())

/** Reads a tar archive. */
export async function readArchive(
  wrapped: Wrapped,
  into: Unpacking,
  onBytes: OnBytes,
): Promise<void> {
  const { path } = wrapped
  const { size } = await stat(path)
  let read = 0
  const source = createReadStream(path, { highWaterMark: 2 ** 18 })
  source.on('data', chunk => onBytes((read += chunk.length), size))
  const extract = createExtract()
  const flow = pipeline([
    source,
    ...layersOf(wrapped),
    async function* (chunks: Chunks) {
      for await (const chunk of chunks) {
        into.spend(chunk.length)
        yield chunk
      }
    },
    extract,
  ])
  // The loop below meets the same failure first; this one only must not stay unheard.
  flow.catch(() => {})
  try {
    for await (const entry of extract) {
      await takeEntry(entry.header, entry as AsyncIterable<Uint8Array>, into)
      entry.resume()
    }
    await flow
  } catch (error) {
    source.destroy()
    const cause = await flow.then(
      () => error,
      (first: unknown) => (error instanceof PreauError ? error : first),
    )
    throw cause instanceof PreauError ? cause : damaged(into, cause)
  }
}

const damaged = ({ source }: Unpacking, cause: unknown): PreauError =>
  refused(source, {
    fr: `archive endommagée (${detailOf(cause).fr})`,
    en: `damaged archive (${detailOf(cause).en})`,
  })

function noteDate(into: Unpacking, at: number): void {
  into.newestAt = Math.max(into.newestAt, at)
}

async function takeEntry(header: Header, chunks: Chunks, into: Unpacking): Promise<void> {
  const path = into.admit(header.name)
  switch (header.type) {
    case 'directory':
      return
    case 'symlink':
      into.link(path, header.linkname)
      return
    case 'link':
      await into.hardLink(path, header.linkname)
      return
    case 'file':
    case 'contiguous-file':
      noteDate(into, header.mtime?.getTime() ?? 0)
      await into.file(path, chunks)
      return
    default:
      throw into.refuse(header.name, notAFile(header.type))
  }
}

/** Reads a folder that holds `<category>/domains`, or one that holds `blacklists/`. Links are never followed. */
export async function readFolder(path: string, into: Unpacking, onBytes: OnBytes): Promise<void> {
  if (basename(resolve(path)) === 'blacklists') into.isUt1 = true
  let read = 0
  const walk = async (below: string): Promise<void> => {
    const entries = await Array.fromAsync(await opendir(join(path, below)))
    // The parts of a file that the mirror cut must be read in their order.
    for (const { name } of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const relative = join(below, name)
      const entry = into.admit(relative)
      const full = join(path, relative)
      const stats = await lstat(full)
      if (stats.isSymbolicLink()) into.link(entry, await readlink(full))
      else if (stats.isDirectory()) {
        if (!name.startsWith('.') && entry.split('/').length < MAX_DEPTH) await walk(relative)
        else if (!name.startsWith('.')) into.passOver(entry)
      } else if (stats.isFile()) {
        noteDate(into, stats.mtimeMs)
        await into.file(entry, spending(full, into))
        onBytes((read += stats.size))
      } else throw into.refuse(relative, notAFile('special'))
    }
  }
  try {
    await walk('')
  } catch (error) {
    throw unreadable(into.source, error)
  }
}

/** Reads a file of domains of one category. */
export async function readDomainFile(
  wrapped: Wrapped,
  category: CategoryId,
  into: Unpacking,
): Promise<void> {
  const { path, gzips } = wrapped
  try {
    noteDate(into, (await stat(path)).mtimeMs)
    const bytes = gzips === 0 ? spending(path, into) : unwrapping(wrapped, into)
    await into.keep(category, asUtf8(bytes))
  } catch (error) {
    throw gzips > 0 && isOfZlib(error) ? damaged(into, error) : unreadable(into.source, error)
  }
}

const isOfZlib = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')

async function* unwrapping(wrapped: Wrapped, into: Unpacking): Chunks {
  const output = new PassThrough()
  const flow = pipeline([createReadStream(wrapped.path), ...layersOf(wrapped), output])
  // Whoever reads the end meets the same failure.
  flow.catch(() => {})
  for await (const chunk of output as Chunks) {
    into.spend(chunk.length)
    yield chunk
  }
  await flow
}

async function* spending(file: string, into: Unpacking): Chunks {
  for await (const chunk of createReadStream(file, { highWaterMark: 2 ** 18 }) as Chunks) {
    into.spend(chunk.length)
    yield chunk
  }
}
