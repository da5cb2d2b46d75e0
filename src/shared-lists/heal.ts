/** Replaces files that another machine has found damaged in the shared store, where this machine has them whole. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { listsFolder } from '../categories/lists.ts'
import type { SharedFolder } from './bring.ts'

/** `names` come from alarms. What is not the same here as it should be there is left to a machine that has it. */
export async function heal(
  { dataDir, files }: SharedFolder,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  if (files === undefined || names.length === 0) return
  const known = await files.list(signal)
  for (const name of names) {
    const path = join(listsFolder(dataDir), name)
    const there = known.get(name)
    if (there === undefined || !existsSync(path)) continue
    if ((await checksum(path)) === there.sha256)
      await files.put(name, path, { isForced: true, signal })
  }
}

async function checksum(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
