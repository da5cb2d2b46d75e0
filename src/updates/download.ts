/** Downloads a source into a file: conditional, bounded in time, silence and size, and whole or not at all. */
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib'
import type { Config } from '../config.ts'
import type { PreauError } from '../errors.ts'
import { authorization, type Credentials } from '../policy/credentials.ts'
import { isHttpUrl } from '../policy/list-source.ts'
import { downloadFailed, saysWhy } from './download-failure.ts'
import { createOutward, type Ask } from './outward.ts'
import { startPatience, type Patience } from './patience.ts'

/** Validators of an earlier answer (RFC 9110 §8.8), good for the URL that gave it and for no other. */
export interface Validators {
  readonly url: string
  readonly etag?: string
  readonly lastModified?: string
}

export interface DownloadOptions {
  /** Written with mode 0600; must not exist yet, and does not exist after a failure. */
  readonly file: string
  readonly validators?: Validators | undefined
  /** For the server of the first URL alone: a redirect to another one goes without. */
  readonly credentials?: Credentials | undefined
  readonly maxBytes: number
  readonly timeoutMs: number
  /** How long the source may say nothing at all. */
  readonly silenceMs?: number
  readonly parentProxy: string | null
  readonly parents: Config['parents']
  readonly dial: Config['dial']
  /** Size of the head of an answer. */
  readonly maxHeaderBytes: number
  readonly onProgress?: ((done: number, total?: number) => void) | undefined
}

export type Downloaded =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'fetched'; readonly bytes: number; readonly validators: Validators }

const SILENCE_MS = 60_000
const MAX_REDIRECTS = 5
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const MAX_VALIDATOR = 1_000

/** Throws PREAU_DOWNLOAD_FAILED, whatever the reason. */
export async function download(url: string, options: DownloadOptions): Promise<Downloaded> {
  const patience = startPatience(options.timeoutMs, options.silenceMs ?? SILENCE_MS)
  try {
    return await follow(new URL(url), options, patience)
  } catch (error) {
    await rm(options.file, { force: true })
    throw downloadFailed(url, patience.signal.aborted ? patience.signal.reason : error)
  } finally {
    patience.end()
  }
}

async function follow(
  first: URL,
  options: DownloadOptions,
  patience: Patience,
): Promise<Downloaded> {
  const ask = createOutward(first, options)
  let url = first
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const validators = options.validators?.url === url.href ? options.validators : undefined
    const credentials = url.origin === first.origin ? options.credentials : undefined
    const response = await question(ask, url, { validators, credentials }, patience)
    const status = response.statusCode ?? 0
    if (status === 200) return save(response, url, options, patience)
    response.destroy()
    if (status === 304 && validators !== undefined) return { kind: 'unchanged' }
    if (!REDIRECTS.has(status)) throw saysWhy('status', { status: sayStatus(status) })
    url = nextUrl(url, response.headers.location)
  }
  throw saysWhy('redirects', { count: MAX_REDIRECTS })
}

function question(
  ask: Ask,
  url: URL,
  { validators, credentials }: Pick<DownloadOptions, 'validators' | 'credentials'>,
  { signal, touch }: Patience,
): Promise<IncomingMessage> {
  const headers: Record<string, string> = {}
  if (validators?.etag !== undefined) headers['if-none-match'] = validators.etag
  if (validators?.lastModified !== undefined) headers['if-modified-since'] = validators.lastModified
  if (credentials !== undefined) headers['authorization'] = authorization(credentials)
  return new Promise((resolve, reject) => {
    const request = ask(url, headers, signal)
    request.once('response', response => {
      touch()
      resolve(response)
    })
    // It may fail once more after the answer came; the reader of the answer hears that by itself.
    request.on('error', reject)
    request.end()
  })
}

const sayStatus = (status: number): string =>
  [status, STATUS_CODES[status]].filter(Boolean).join(' ')

function nextUrl(from: URL, location: string | undefined): URL {
  const next = location === undefined ? null : URL.parse(location, from)
  if (next === null || !isHttpUrl(next.href)) throw saysWhy('badRedirect', {})
  // What came by TLS so far must not be replaced on the way.
  if (from.protocol === 'https:' && next.protocol === 'http:') throw saysWhy('downgrade', {})
  // A fragment belongs to the reader, and validators are compared by the rest.
  next.hash = ''
  return next
}

async function save(
  response: IncomingMessage,
  url: URL,
  { file, maxBytes, onProgress }: DownloadOptions,
  { signal, touch }: Patience,
): Promise<Downloaded> {
  const promised = lengthOf(response)
  if ((promised ?? 0) > maxBytes) throw tooBig(response, maxBytes)
  const decoders = decodersOf(response)
  let bytes = 0
  let decoded = 0
  await pipeline(
    [
      response,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          touch()
          bytes += chunk.length
          if (bytes > maxBytes) throw tooBig(response, maxBytes)
          onProgress?.(bytes, promised)
          yield chunk
        }
      },
      ...decoders,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          decoded += chunk.length
          if (decoded > maxBytes) throw tooBig(response, maxBytes)
          yield chunk
        }
      },
      createWriteStream(file, { flags: 'wx', mode: 0o600 }),
    ],
    { signal },
  )
  if (!response.complete || (promised !== undefined && promised !== bytes))
    throw saysWhy('truncated', { bytes })
  return { kind: 'fetched', bytes, validators: validatorsOf(response, url) }
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  deflate: createInflate,
  zstd: createZstdDecompress,
}

/**
 * Undoes a coding that was not asked for (RFC 9110 §8.4). Gzip alone is left as it is: some servers label a .tar.gz so, and
 * whoever reads the file looks inside.
 */
function decodersOf(response: IncomingMessage): Transform[] {
  const codings = (response.headers['content-encoding'] ?? '')
    .split(',')
    .map(coding => coding.trim().toLowerCase())
    .filter(coding => coding !== '' && coding !== 'identity')
  const first = codings.findIndex(coding => !/^(?:x-)?gzip$/.test(coding))
  if (first === -1) return []
  return codings
    .slice(first)
    .toReversed()
    .map(coding => {
      const create = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined
      if (create !== undefined) return create()
      response.destroy()
      throw saysWhy('coding', { coding: coding.slice(0, 40) })
    })
}

function lengthOf({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length']
  return length === undefined ? undefined : Number(length)
}

function tooBig(response: IncomingMessage, maxBytes: number): PreauError {
  response.destroy()
  return saysWhy('tooBig', { megabytes: Math.round(maxBytes / 1e5) / 10 })
}

/** What a server sends stands in the store from now on: only what is as short as a validator should be. */
function validatorsOf({ headers }: IncomingMessage, { href }: URL): Validators {
  const { etag, 'last-modified': lastModified } = headers
  return {
    url: href,
    ...(etag !== undefined && etag.length <= MAX_VALIDATOR ? { etag } : {}),
    ...(lastModified !== undefined && lastModified.length <= MAX_VALIDATOR ? { lastModified } : {}),
  }
}
