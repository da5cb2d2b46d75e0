/** Finds the last good state in the data folder. One that cannot be used is as good as none, and says why. */
import { lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { causeOf } from '../errors.ts'
import type { Catalogue } from '../policy/category.ts'
import { isKept } from '../policy/grant.ts'
import { decodeState, type DecidingState } from './format.ts'

const MAX_BYTES = 2 ** 28
const DAY_MS = 86_400_000
const MAX_CAUSE = 300

export const lastStateFile = ({ dataDir }: Pick<Config, 'dataDir'>): string =>
  join(dataDir, 'last-state.json')

/** One that cannot be looked at is not a missing one. */
export const isPresent = (file: string): Promise<boolean> =>
  lstat(file).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  )

export interface FoundState {
  readonly state?: DecidingState
  /** Why there is one that is not used: damaged, half-written, of another format, older than grants may be kept. */
  readonly ignored?: string
}

/** Reads the last state; grants that have ended by `now` (epoch ms) stay out. Never rejects; empty where there is no file. */
export async function readLastState(
  config: Pick<Config, 'dataDir' | 'limits'>,
  catalogue: Catalogue,
  now: number,
): Promise<FoundState> {
  try {
    const text = await readBounded(lastStateFile(config))
    if (text === undefined) return {}
    const state = decodeState(text, catalogue)
    if (now - state.at > config.limits.requestRetentionDays * DAY_MS)
      return { ignored: 'older than grants are kept' }
    return { state: { ...state, grants: state.grants.filter(grant => isKept(grant, now)) } }
  } catch (error) {
    // The cause of a schema tells the whole value, and a policy is long.
    return { ignored: causeOf(error).slice(0, MAX_CAUSE) }
  }
}

async function readBounded(file: string): Promise<string | undefined> {
  let handle
  try {
    handle = await open(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { size } = await handle.stat()
    if (size > MAX_BYTES) throw new RangeError(`${size} bytes`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}
