/** Keeps the last good state in the data folder: whole or not at all, the latest only, and never in the way of a verdict. */
import { randomUUID } from 'node:crypto'
import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { encodeState, type DecidingState } from './format.ts'

/** Nothing has changed, and yet it is written anew: its date tells how old the state may be. */
const CONFIRM_MS = 600_000
/** A full disk, a folder without rights: tried again this often, since what was revoked meanwhile stands open in the file. */
const RETRY_MS = 5_000
/** A file that a process left half-written when it died. */
const ABANDONED_MS = 60_000

export interface KeepOptions {
  readonly file: string
  readonly logger: Pick<Logger, 'warn'>
  readonly retryMs?: number
}

export class LastStateKeeper {
  readonly #options: KeepOptions
  #latest: DecidingState | undefined
  #writtenAt = -Infinity
  #writing: Promise<void> | undefined
  #isFailing = false
  #isClosed = false
  #retry: NodeJS.Timeout | undefined

  constructor(options: KeepOptions) {
    this.#options = options
  }

  /** Writes it soon; of several that come during a write the latest alone. `isChanged`: it decides other than the one before. */
  keep(state: DecidingState, isChanged: boolean): void {
    if (this.#isClosed) return
    const since = state.at - this.#writtenAt
    if (!isChanged && !this.#isFailing && since >= 0 && since < CONFIRM_MS) return
    this.#latest = state
    this.#writing ??= this.#write()
  }

  /** Resolves when what was to be kept has been written, or could not be. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    await this.#writing
  }

  async #write(): Promise<void> {
    clearTimeout(this.#retry)
    while (this.#latest !== undefined) {
      const state = this.#latest
      this.#latest = undefined
      await this.#writeOne(state)
    }
    this.#writing = undefined
  }

  async #writeOne(state: DecidingState): Promise<void> {
    const { file, logger, retryMs = RETRY_MS } = this.#options
    try {
      if (this.#writtenAt === -Infinity) await dropAbandoned(file, state.at)
      await replaceFile(file, encodeState(state))
      this.#writtenAt = state.at
      if (this.#isFailing) logger.warn('the last state is kept again')
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing)
        logger.warn({ err: error }, 'the last state could not be kept; it is tried again')
      this.#isFailing = true
      if (this.#isClosed || this.#latest !== undefined) return
      this.#retry = setTimeout(() => this.keep(state, true), retryMs).unref()
    }
  }
}

/** With its rights from its first byte, on the disk before it has its name: a power cut leaves the old one or the new one. */
async function replaceFile(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.new`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}

async function dropAbandoned(file: string, now: number): Promise<void> {
  const folder = dirname(file)
  const begin = `${basename(file)}.`
  for (const name of await readdir(folder)) {
    if (!name.startsWith(begin) || !name.endsWith('.new')) continue
    const path = join(folder, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }))
    if (now - mtimeMs > ABANDONED_MS) await rm(path, { force: true })
  }
}
