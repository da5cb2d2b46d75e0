/**
 * UT1 and its mirrors publish the MD5 sums of their archives beside them (`MD5SUM.LST`). They tell an archive that was
 * damaged or is older than it should be; that nobody has changed it on the way is what TLS is for.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import type { FetchStatus } from '../policy/list-source.ts'
import { download, type DownloadOptions } from './download.ts'
import { downloadFailed, saysWhy } from './download-failure.ts'

const PUBLISHED = 'MD5SUM.LST'
const MAX_BYTES = 2 ** 20
const TIMEOUT_MS = 60_000
const PLACE = /\/blacklists\/download\/[^/]+$/

export interface Archive {
  /** Where it came from. */
  readonly url: string
  readonly file: string
  /** A folder for what is fetched beside it. */
  readonly folder: string
}

/**
 * Compares an archive with its published sum; undefined where no sums are expected. Throws PREAU_DOWNLOAD_FAILED when it is
 * another one. Where no sum can be had the archive is taken: mirrors do not all have the file.
 */
export async function checkChecksum(
  { url, file, folder }: Archive,
  options: Omit<DownloadOptions, 'file' | 'validators' | 'onProgress'>,
): Promise<FetchStatus['checksum']> {
  if (!PLACE.test(new URL(url).pathname)) return undefined
  const list = join(folder, PUBLISHED)
  const beside = new URL(PUBLISHED, url).href
  const limits = { maxBytes: MAX_BYTES, timeoutMs: Math.min(options.timeoutMs, TIMEOUT_MS) }
  const text = await download(beside, { ...options, ...limits, file: list }).then(
    () => readFile(list, 'latin1'),
    () => '',
  )
  const published = publishedSum(text, basename(new URL(url).pathname))
  if (published === undefined) return 'absent'
  if ((await sumOf(file)) === published || (await sumInside(file)) === published) return 'right'
  throw downloadFailed(url, saysWhy('checksum', { published }))
}

/** As `md5sum` writes it (`sum  name`, `sum *./name`), or BSD's `MD5 (name) = sum`. */
export function publishedSum(text: string, name: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, first, file] = /^([0-9a-f]{32})[ \t]+\*?(\S+)\s*$/i.exec(line) ?? []
    const [, other, last] = /^MD5 ?\((\S+)\) ?= ?([0-9a-f]{32})\s*$/i.exec(line) ?? []
    const named = file ?? other
    if (named !== undefined && basename(named) === name) return (first ?? last)?.toLowerCase()
  }
  return undefined
}

async function sumOf(file: string): Promise<string> {
  const hash = createHash('md5')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** A server may have compressed it once more on the way (RFC 9110 §8.4.1). */
async function sumInside(file: string): Promise<string | undefined> {
  const hash = createHash('md5')
  return pipeline(createReadStream(file), createGunzip(), hash).then(
    () => hash.digest('hex'),
    () => undefined,
  )
}
