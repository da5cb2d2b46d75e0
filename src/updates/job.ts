/** The entry of a process that fetches one source and ends: a build of millions of hosts is no work for one that serves. */
import { constants, setPriority } from 'node:os'
import { readListState } from '../admin/list-state.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { causeOf, PreauError } from '../errors.ts'
import { openStore } from '../store/open-store.ts'
import { fetchSource, type FetchOutcome, type OnFetchProgress } from './fetch-source.ts'

export interface ToJob {
  readonly config: Config
  readonly seed: string
  /** The name of the source. */
  readonly name: string
  readonly by: string
}
export type FromJob =
  | {
      readonly type: 'progress'
      readonly phase: 'download' | 'read' | 'index' | 'compare'
      readonly done: number
      readonly total?: number | undefined
    }
  | { readonly type: 'done'; readonly kind: FetchOutcome['kind'] }
  /** The failure is written down already. */
  | { readonly type: 'failed'; readonly message: string }

/** At most five words a second. */
const PROGRESS_MS = 200

async function run({ config, seed, name, by }: ToJob): Promise<FromJob> {
  const store = await openStore(config)
  try {
    const clock = Date.now
    const { sources } = await readListState({ store, config, clock })
    const source = sources.find(known => known.name === name)
    if (source === undefined) throw new PreauError('PREAU_NOT_FOUND')
    const deps = { store, config, clock, seed, catalogue: loadCatalogue() }
    const { kind } = await fetchSource(deps, { source, by, mode: 'auto', onProgress: tell() })
    return { type: 'done', kind }
  } catch (error) {
    return { type: 'failed', message: causeOf(error) }
  } finally {
    await store.close()
  }
}

function tell(): OnFetchProgress {
  let toldAt = -Infinity
  let last = ''
  return (done, { phase, total }) => {
    const now = performance.now()
    if (phase === last && now - toldAt < PROGRESS_MS) return
    toldAt = now
    last = phase
    send({ type: 'progress', phase, done, total })
  }
}

function send(message: FromJob, then: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, then)
}

process.on('message', (start: ToJob) => {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  run(start).then(
    message => send(message, () => process.disconnect?.()),
    // The store itself: whoever started us writes it down.
    () => process.exit(1),
  )
})
// Nobody is left to tell; and a signal to the whole group is for the process that started us to judge.
process.on('disconnect', () => process.exit(0))
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => undefined)
