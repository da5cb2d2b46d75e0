/** A disk of a few megabytes that can be filled to its last byte; only root may mount one. */
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../../support/product.ts'
import type { Stage } from '../stage.ts'

export interface SmallDisk {
  readonly path: string
  /** Leaves not one block free; called again it takes what has become free meanwhile. */
  fill(): void
  free(): void
}

/** Undefined where nobody may mount one. */
export async function mountSmallDisk(
  stage: Stage,
  megabytes: number,
): Promise<SmallDisk | undefined> {
  const path = join(stage.dir, 'disk')
  mkdirSync(path)
  const options = `size=${megabytes}m,mode=700`
  const { code } = await runProgram('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
  if (code !== 0) return undefined
  stage.onEnd(() => runProgram('umount', ['-l', path]))
  const filler = join(path, 'filler')
  return {
    path,
    fill() {
      const file = openSync(filler, 'a')
      try {
        for (const size of [1_048_576, 4_096]) writeUntilFull(file, Buffer.alloc(size))
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(filler, { force: true }),
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  for (;;) {
    try {
      if (writeSync(file, block) < block.length) return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return
      throw error
    }
  }
}
