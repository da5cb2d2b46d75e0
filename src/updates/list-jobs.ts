/** Work on the lists, one piece at a time, each in a process of its own (`job.ts`). */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Logger } from 'pino'
import type { ListWork, WorkState } from '../admin/deps.ts'
import { PreauError } from '../errors.ts'
import { recordFailure, type RecordDeps } from './fetch-record.ts'
import type { FromJob, ToJob } from './job.ts'

export interface ListWorkOptions extends RecordDeps {
  readonly logger: Pick<Logger, 'warn'>
  /** Only tests run another one. */
  readonly job?: URL
  readonly timeLimitMs?: number
}

export interface RunningListWork extends ListWork {
  /** Ends what is going on: what it has built so far is worth nothing. */
  close(): Promise<void>
}

/** Beyond the download: reading, building and trying on the log. */
const BUILD_MS = 30 * 60_000

export const createListWork = (options: ListWorkOptions): RunningListWork => new ListJobs(options)

class ListJobs implements RunningListWork {
  readonly #options: ListWorkOptions
  readonly #listeners = new Set<() => void>()
  #current: WorkState | undefined
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: ListWorkOptions) {
    this.#options = options
  }

  get current(): WorkState | undefined {
    return this.#current
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  fetch(name: string, by: string): boolean {
    if (this.#current !== undefined || this.#isClosed) return false
    const startedAt = this.#options.clock()
    this.#show({ list: name, phase: 'download', done: 0, startedAt, by })
    this.#ended = this.#run(name, by)
      .catch((error: unknown) => this.#fail(name, by, error))
      .finally(() => this.#show(undefined))
    return true
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#child?.kill('SIGKILL')
    await this.#ended
    this.#listeners.clear()
  }

  /** Rejects when the job ends without a word: then nobody has written down why. */
  async #run(name: string, by: string): Promise<void> {
    const { config, seed, job, timeLimitMs, logger } = this.#options
    const child = fork(job ?? new URL('job.ts', import.meta.url), {
      serialization: 'advanced',
      // The last one stands in the place of the socket that we listen on, which it would inherit: whoever comes after us
      // could not listen before the job has ended.
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', 'ignore'],
    })
    this.#child = child
    let last: FromJob | undefined
    let isLate = false
    const limit = timeLimitMs ?? config.lists.downloadTimeoutMs + BUILD_MS
    const timer = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, limit)
    child.on('message', (message: FromJob) => {
      last = message
      if (message.type === 'progress') this.#progress(message)
    })
    child.send({ config, seed, name, by } satisfies ToJob, () => undefined)
    try {
      // Not `exit`: what the job has said last may come after that.
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
      if (last?.type === 'failed') {
        logger.warn({ list: name, reason: last.message }, 'a source could not be fetched')
      } else if (last?.type !== 'done') throw isLate ? late(limit) : died(signal ?? code)
    } finally {
      clearTimeout(timer)
      this.#child = undefined
    }
  }

  #progress({ phase, done, total }: Extract<FromJob, { type: 'progress' }>): void {
    if (this.#current === undefined) return
    const { list, startedAt, by } = this.#current
    this.#show({ list, startedAt, by, phase, done, ...(total === undefined ? {} : { total }) })
  }

  async #fail(name: string, by: string, error: unknown): Promise<void> {
    if (this.#isClosed) return
    const { logger } = this.#options
    logger.warn({ list: name, err: error }, 'the process that fetches a source died')
    await recordFailure(this.#options, name, by, error).catch((cause: unknown) =>
      logger.warn({ list: name, err: cause }, 'the failure of a source could not be written down'),
    )
  }

  #show(state: WorkState | undefined): void {
    this.#current = state
    for (const listener of this.#listeners) listener()
  }
}

const died = (how: string | number | null): PreauError =>
  new PreauError('PREAU_INTERNAL', {
    detail: { fr: `le processus s’est arrêté (${how})`, en: `the process ended (${how})` },
  })

const late = (limitMs: number): PreauError => {
  const minutes = Math.round(limitMs / 60_000)
  const detail = { fr: `pas terminé au bout de ${minutes} min`, en: `not done in ${minutes} min` }
  return new PreauError('PREAU_INTERNAL', { detail })
}
