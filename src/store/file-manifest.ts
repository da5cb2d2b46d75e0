/** A file in pieces: its manifest, as the store keeps it, and how a file is cut into chunks and summed up. */
import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import type { SharedFile } from './shared-files.ts'

/** Of the file; an index hardly shrinks, a list of domains does by half or more. */
export const CHUNK_BYTES = 2 ** 20
const MAX_BYTES = 2 ** 32

const manifestSchema = z.object({
  bytes: z.int().min(0).max(MAX_BYTES),
  storedBytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  chunks: z
    .int()
    .min(0)
    .max(MAX_BYTES / CHUNK_BYTES),
  upload: z.string().regex(/^[0-9a-f-]{36}$/),
  at: z.int().min(0),
})
export type Manifest = z.infer<typeof manifestSchema>

/** What a manifest says, summed up chunk by chunk. */
export class Sum {
  bytes = 0
  chunks = 0
  #storedBytes = 0
  readonly #hash: Hash = createHash('sha256')

  add(chunk: Uint8Array, storedBytes: number): void {
    this.bytes += chunk.length
    this.chunks++
    this.#storedBytes += storedBytes
    this.#hash.update(chunk)
  }

  end(): Pick<Manifest, 'bytes' | 'chunks' | 'storedBytes' | 'sha256'> {
    const { bytes, chunks } = this
    return { bytes, chunks, storedBytes: this.#storedBytes, sha256: this.#hash.digest('hex') }
  }
}

/** The same buffer each time: take what is in it before the next one is asked for. */
export async function* readChunks(handle: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES)
  for (let at = 0; ;) {
    let filled = 0
    while (filled < CHUNK_BYTES) {
      const { bytesRead } = await handle.read(buffer, filled, CHUNK_BYTES - filled, at)
      if (bytesRead === 0) break
      filled += bytesRead
      at += bytesRead
    }
    if (filled > 0) yield buffer.subarray(0, filled)
    if (filled < CHUNK_BYTES) return
  }
}

/** undefined for what no Préau has written: as if it were not there. */
export function parseManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export function describe({ bytes, storedBytes, sha256, at }: Manifest, now: number): SharedFile {
  return { bytes, storedBytes, sha256, ageMs: Math.max(0, now - at) }
}
