/**
 * Files in Redis. A file goes up in chunks, each compressed and written by a command of its own, so that nobody else waits
 * long for Redis; they end by themselves (TTL) until the manifest is written, last, which makes them stay. What is read
 * is compared with the manifest before it gets its name on the disk.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { syncFolder } from '../durable-file.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError, type Words } from '../errors.ts'
import {
  CHUNK_BYTES,
  describe,
  parseManifest,
  readChunks,
  Sum,
  type Manifest,
} from './file-manifest.ts'
import { Patient } from './patient.ts'
import { RedisRefusal } from './redis-error.ts'
import { DROP, FINISH } from './redis-file-scripts.ts'
import type { RedisLink } from './redis-link.ts'
import { pairsOf } from './redis-records.ts'
import {
  FETCHING,
  type SharedFile,
  type SharedFiles,
  type TransferOptions,
} from './shared-files.ts'

export interface RedisFilesOptions {
  /** Makes a connection of its own, at the first transfer: a chunk on its way must not hold up a decision. */
  readonly connect: () => RedisLink
  /** The full name of a key; all must be in one hash slot. */
  readonly key: (name: string) => string
  /** How many replicas there are. */
  readonly replicas?: number
  /** How long a transfer bears with a Redis that does not answer, per chunk. */
  readonly patienceMs?: number
}

/** A chunk whose manifest does not come is an orphan. */
const ORPHAN_S = 3_600
const PATIENCE_MS = 30_000
/** How long a chunk may take to the replicas. */
const PACE_MS = 5_000
/** A file, or a file in a folder: no name leads out of the folder that it is fetched into. */
const NAME = /^\w[\w.-]{0,119}(?:\/\w[\w.-]{0,119})?$/

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
// The checksum of zstd finds a damaged chunk when it is unpacked; the manifest has that of the whole.
const ZSTD = { params: { [constants.ZSTD_c_checksumFlag]: 1 } }

/** Of the memory of Redis: the rest is left to records. */
const FULL = 0.9
const DROPPED_AT_ONCE = 50

/** The files of a store on Redis. `close` ends its connection. */
export class RedisFiles implements SharedFiles {
  readonly #key: RedisFilesOptions['key']
  readonly #patient: Patient
  readonly #replicas: number

  constructor({ connect, key, replicas = 0, patienceMs = PATIENCE_MS }: RedisFilesOptions) {
    this.#key = key
    this.#replicas = replicas
    this.#patient = new Patient(connect, patienceMs)
  }

  close(): Promise<void> {
    return this.#patient.close()
  }

  async list(signal?: AbortSignal): Promise<ReadonlyMap<string, SharedFile>> {
    const [time, all] = (await this.#patient.ask(
      async link => [await link.call('TIME', []), await link.call('HGETALL', [this.#key('files')])],
      signal,
    )) as [[string, string], string[]]
    const now = Number(time[0]) * 1_000
    const known = pairsOf(all).flatMap(([name, text]): [string, SharedFile][] => {
      const manifest = parseManifest(text)
      return manifest === undefined || !NAME.test(name) ? [] : [[name, describe(manifest, now)]]
    })
    return new Map(known)
  }

  async put(
    name: string,
    path: string,
    { isForced = false, ...options }: TransferOptions & { isForced?: boolean } = {},
  ): Promise<void> {
    const { signal } = options
    if (!NAME.test(name)) throw new TypeError(`not a name of a shared file: ${name}`)
    const handle = await open(path)
    try {
      if (!isForced && (await this.#isSame(name, handle, signal))) return
      await this.#assertRoom(name, (await handle.stat()).size, signal)
      await this.#upload(name, handle, options).catch((error: unknown) => {
        if (!isGone(error)) throw error
        // A replica has taken over that had not all of it.
        return this.#upload(name, handle, options)
      })
    } finally {
      await handle.close()
    }
  }

  async #upload(
    name: string,
    handle: FileHandle,
    { onProgress, signal }: TransferOptions,
  ): Promise<void> {
    const upload = randomUUID()
    const sum = new Sum()
    const wait = [this.#replicas, PACE_MS] as const
    let isPaced = this.#replicas > 0
    for await (const chunk of readChunks(handle)) {
      const packed = await compress(chunk, ZSTD)
      sum.add(chunk, packed.length)
      const key = this.#chunk(upload, sum.chunks - 1)
      await this.#patient.ask(link => link.call('SET', [key, packed, 'EX', ORPHAN_S]), signal)
      // A replica that lags by a whole list would hold up all commits; one that is away holds up nothing.
      isPaced &&=
        Number(await this.#patient.ask(link => link.call('WAIT', wait).catch(() => 0), signal)) >=
        wait[0]
      onProgress?.(sum.bytes)
    }
    await this.#finish(name, { ...sum.end(), upload }, signal)
  }

  /** A full Redis refuses all writes: a list must not take the place of clicks and decisions. */
  async #assertRoom(name: string, bytes: number, signal?: AbortSignal): Promise<void> {
    if (bytes <= CHUNK_BYTES) return
    const info = await this.#patient.ask(
      link => link.call('INFO', ['memory']).catch(noneOfThat),
      signal,
    )
    const numberOf = (field: string): number =>
      Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(String(info))?.[1] ?? 0)
    const limit = numberOf('maxmemory')
    const left = limit * FULL - numberOf('used_memory')
    if (limit === 0 || bytes <= left) return
    const [needed, room] = [bytes, Math.max(0, left)].map(size => Math.ceil(size / 1e6))
    throw new PreauError('PREAU_STORE_FULL', { name, needed: needed ?? 0, left: room ?? 0 })
  }

  async #isSame(name: string, handle: FileHandle, signal?: AbortSignal): Promise<boolean> {
    const there = await this.#manifest(name, signal)
    if (there === undefined || there.bytes !== (await handle.stat()).size) return false
    const sum = new Sum()
    for await (const chunk of readChunks(handle)) sum.add(chunk, 0)
    return sum.end().sha256 === there.sha256
  }

  async #finish(name: string, manifest: Omit<Manifest, 'at'>, signal?: AbortSignal): Promise<void> {
    const chunks = Array.from({ length: manifest.chunks }, (_, i) =>
      this.#chunk(manifest.upload, i),
    )
    const keys = [this.#key('files'), ...chunks]
    const args = [name, JSON.stringify(manifest), manifest.upload, this.#key('chunk:')]
    await this.#patient.ask(link => link.run(FINISH, keys, args), signal)
  }

  async fetch(name: string, path: string, options: TransferOptions = {}): Promise<SharedFile> {
    const manifest = await this.#manifest(name, options.signal)
    if (manifest === undefined) throw new PreauError('PREAU_FILE_NOT_SHARED', { name })
    const partial = `${path}.${randomBytes(4).toString('hex')}${FETCHING}`
    const handle = await open(partial, 'wx', 0o640)
    try {
      try {
        await this.#download(name, manifest, handle, options)
      } finally {
        await handle.close()
      }
      await rename(partial, path)
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    }
    await syncFolder(dirname(path))
    return describe(manifest, Date.now())
  }

  async #download(
    name: string,
    manifest: Manifest,
    handle: FileHandle,
    { onProgress, signal }: TransferOptions,
  ): Promise<void> {
    const sum = new Sum()
    for (let i = 0; i < manifest.chunks; i++) {
      const key = this.#chunk(manifest.upload, i)
      const packed = await this.#patient.ask(link => link.callBuffer('GET', [key]), signal)
      // Dropped or replaced meanwhile, or lost by a Redis that evicts.
      if (!Buffer.isBuffer(packed))
        throw damaged(name, { fr: 'il en manque un morceau', en: 'a piece of it is gone' })
      const chunk = await decompress(packed, { maxOutputLength: CHUNK_BYTES }).catch(error => {
        throw damaged(name, detailOf(error))
      })
      sum.add(chunk, packed.length)
      if (sum.bytes > manifest.bytes) break
      await handle.writeFile(chunk)
      onProgress?.(sum.bytes)
    }
    const { bytes, sha256 } = sum.end()
    if (bytes !== manifest.bytes || sha256 !== manifest.sha256)
      throw damaged(name, { fr: 'somme de contrôle fausse', en: 'wrong checksum' })
    await handle.sync()
  }

  async #manifest(name: string, signal?: AbortSignal): Promise<Manifest | undefined> {
    const text = await this.#patient.ask(
      link => link.call('HGET', [this.#key('files'), name]),
      signal,
    )
    return typeof text === 'string' ? parseManifest(text) : undefined
  }

  async drop(names: readonly string[]): Promise<void> {
    for (let at = 0; at < names.length; at += DROPPED_AT_ONCE) {
      const args = [this.#key('chunk:'), ...names.slice(at, at + DROPPED_AT_ONCE)]
      await this.#patient.ask(link => link.run(DROP, [this.#key('files')], args))
    }
  }

  #chunk(upload: string, i: number): string {
    return this.#key(`chunk:${upload}:${i}`)
  }
}

const damaged = (name: string, detail: Words): PreauError =>
  new PreauError('PREAU_SHARED_FILE_DAMAGED', { name, detail })

const isGone = (error: unknown): boolean =>
  error instanceof PreauError &&
  error.cause instanceof RedisRefusal &&
  error.cause.message.startsWith('GONE')

/** Somebody who may not ask how much memory there is finds out by a refusal. */
function noneOfThat(error: unknown): string {
  if (error instanceof RedisRefusal) return ''
  throw error
}
