/** Tells what a path holds by its first bytes, never by its name, and whether that is what was asked for. */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, type Gunzip } from 'node:zlib'
import type { Words } from '../../errors.ts'
import type { SourceFormat } from '../../policy/list-source.ts'
import { refused, unreadable } from './refusal.ts'

export type SourceKind = 'archive' | 'folder' | 'file'

/** What a path holds, once it is unwrapped. */
export interface Recognised {
  readonly kind: SourceKind
  /** How often it is wrapped in gzip: servers compress once more what is compressed already. */
  readonly gzips: number
}

interface Found extends Words {
  readonly kind?: SourceKind
  readonly gzips?: number
}

const FOLDER: Found = { kind: 'folder', fr: 'un dossier', en: 'a folder' }
const GZIP: Found = {
  fr: 'un fichier compressé plusieurs fois',
  en: 'a file compressed many times',
}
const DAMAGED: Found = { fr: 'un fichier compressé endommagé', en: 'a damaged compressed file' }
const TEXT: Found = { kind: 'file', fr: 'un fichier de texte', en: 'a text file' }
const EMPTY: Found = { kind: 'file', fr: 'un fichier vide', en: 'an empty file' }
const BINARY: Found = { fr: 'un fichier binaire', en: 'a binary file' }
// A captive portal, a login page or an error page saved in place of a list (OPNsense #6866).
const HTML: Found = { fr: 'une page HTML', en: 'an HTML page' }
const TAR: Found = { kind: 'archive', fr: 'une archive tar', en: 'a tar archive' }

const SIGNATURES: readonly (readonly [string, Found])[] = [
  ['1f8b', GZIP],
  ['504b0304', { fr: 'une archive zip', en: 'a zip archive' }],
  ['425a68', { fr: 'une archive bzip2', en: 'a bzip2 archive' }],
  ['fd377a585a00', { fr: 'une archive xz', en: 'an xz archive' }],
  ['28b52ffd', { fr: 'une archive zstd', en: 'a zstd archive' }],
  ['377abcaf271c', { fr: 'une archive 7z', en: 'a 7z archive' }],
]

const SNIFFED_BYTES = 512
const MAX_GZIPS = 2

function recognise(bytes: Buffer): Found {
  if (bytes.length === 0) return EMPTY
  const start = bytes.toString('hex')
  const known = SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1]
  if (known !== undefined) return known
  if (bytes.toString('latin1', 257, 262) === 'ustar') return TAR
  if (/^(?:fffe|feff)/.test(start)) return TEXT
  if (bytes.includes(0)) return BINARY
  const text = bytes.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '')
  return /^\s*<(?:!doctype|html|head|body|\?xml)\b/i.test(text) ? HTML : TEXT
}

const WANTED: Readonly<Record<SourceFormat, Words>> = {
  archive: { fr: 'une archive tar est attendue', en: 'a tar archive is expected' },
  lines: { fr: 'une liste en texte est attendue', en: 'a list as text is expected' },
  auto: {
    fr: 'une archive tar, un dossier ou une liste en texte est attendu, compressés ou non par gzip',
    en: 'a tar archive, a folder or a list as text is expected, with or without gzip',
  },
}

const isWanted = ({ kind }: Found, format: SourceFormat): boolean =>
  format === 'auto'
    ? kind !== undefined
    : format === 'archive'
      ? kind === 'archive' || kind === 'folder'
      : kind === 'file'

/**
 * What a path holds. Throws PREAU_FILE_UNREADABLE, and PREAU_LIST_REFUSED saying what it is when that is not of the format.
 * Errors name `source`.
 */
export async function sourceKind(
  path: string,
  format: SourceFormat,
  source: string,
): Promise<Recognised> {
  const found = await look(path, source)
  const { kind, gzips = 0 } = found
  if (kind !== undefined && isWanted(found, format)) return { kind, gzips }
  const { fr, en } = WANTED[format]
  throw refused(source, { fr: `c’est ${found.fr} ; ${fr}`, en: `it is ${found.en}; ${en}` })
}

async function look(path: string, source: string): Promise<Found> {
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return FOLDER
    // A pipe or a device could hold the reader for ever.
    if (!stats.isFile()) return { fr: 'un fichier spécial', en: 'a special file' }
    let found = recognise(await head(path))
    let gzips = 0
    for (; found === GZIP && gzips < MAX_GZIPS; gzips++)
      found = recogniseInside(await headInside(path, gzips + 1))
    return { ...found, gzips }
  } catch (error) {
    throw unreadable(source, error)
  }
}

async function head(path: string): Promise<Buffer> {
  const handle = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFFED_BYTES), 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

const recogniseInside = (bytes: Buffer | undefined): Found =>
  bytes === undefined ? DAMAGED : recognise(bytes)

/** The first bytes below `gzips` layers of gzip; undefined when it is damaged before there are any. */
async function headInside(path: string, gzips: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let length = 0
  const enough = new AbortController()
  const take = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of chunks) {
      parts.push(chunk)
      length += chunk.length
      if (length >= SNIFFED_BYTES) break
    }
    enough.abort()
  }
  const layers: Gunzip[] = Array.from({ length: gzips }, () => createGunzip())
  const { signal } = enough
  // A fault further on is for who reads the whole.
  const isWhole = await pipeline([createReadStream(path), ...layers, take], { signal }).then(
    () => true,
    () => signal.aborted || length > 0,
  )
  return isWhole ? Buffer.concat(parts).subarray(0, SNIFFED_BYTES) : undefined
}
