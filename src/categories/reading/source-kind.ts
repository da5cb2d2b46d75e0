/** Tells what a path holds by its first bytes, never by its name, and whether that is what was asked for. */
import { open, stat } from 'node:fs/promises'
import type { Words } from '../../errors.ts'
import type { SourceFormat } from '../../policy/list-source.ts'
import { refused, unreadable } from './refusal.ts'

export type SourceKind = 'archive' | 'folder' | 'file'

interface Found extends Words {
  readonly kind?: SourceKind
}

const FOLDER: Found = { kind: 'folder', fr: 'un dossier', en: 'a folder' }
const GZIP: Found = { kind: 'archive', fr: 'une archive compressée', en: 'a compressed archive' }
const TEXT: Found = { kind: 'file', fr: 'un fichier de texte', en: 'a text file' }
const EMPTY: Found = { kind: 'file', fr: 'un fichier vide', en: 'an empty file' }
const BINARY: Found = { fr: 'un fichier binaire', en: 'a binary file' }
// A captive portal, a login page or an error page saved in place of a list (OPNsense #6866).
const HTML: Found = { fr: 'une page HTML', en: 'an HTML page' }
const TAR: Found = { fr: 'une archive tar non compressée', en: 'a tar archive without gzip' }

const SIGNATURES: readonly (readonly [string, Found])[] = [
  ['1f8b', GZIP],
  ['504b0304', { fr: 'une archive zip', en: 'a zip archive' }],
  ['425a68', { fr: 'une archive bzip2', en: 'a bzip2 archive' }],
  ['fd377a585a00', { fr: 'une archive xz', en: 'an xz archive' }],
  ['28b52ffd', { fr: 'une archive zstd', en: 'a zstd archive' }],
  ['377abcaf271c', { fr: 'une archive 7z', en: 'a 7z archive' }],
]

const SNIFFED_BYTES = 512

function recognise(bytes: Buffer): Found {
  if (bytes.length === 0) return EMPTY
  const start = bytes.toString('hex')
  const known = SIGNATURES.find(([signature]) => start.startsWith(signature))?.[1]
  if (known !== undefined) return known
  if (bytes.toString('latin1', 257, 262) === 'ustar') return TAR
  if (bytes.includes(0)) return BINARY
  const text = bytes.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, '')
  return /^\s*<(?:!doctype|html|head|body|\?xml)\b/i.test(text) ? HTML : TEXT
}

const WANTED: Readonly<Record<SourceFormat, Words>> = {
  archive: { fr: 'une archive tar.gz est attendue', en: 'a tar.gz archive is expected' },
  lines: { fr: 'une liste en texte est attendue', en: 'a list as text is expected' },
  auto: {
    fr: 'une archive tar.gz, un dossier ou une liste en texte est attendu',
    en: 'a tar.gz archive, a folder or a list as text is expected',
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
): Promise<SourceKind> {
  const found = await look(path, source)
  if (found.kind !== undefined && isWanted(found, format)) return found.kind
  const { fr, en } = WANTED[format]
  throw refused(source, { fr: `c’est ${found.fr} ; ${fr}`, en: `it is ${found.en}; ${en}` })
}

async function look(path: string, source: string): Promise<Found> {
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return FOLDER
    // A pipe or a device could hold the reader for ever.
    if (!stats.isFile()) return { fr: 'un fichier spécial', en: 'a special file' }
    const handle = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(SNIFFED_BYTES), 0)
      return recognise(buffer.subarray(0, bytesRead))
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw unreadable(source, error)
  }
}
