/** What is written down of a fetch, and when the next one is due. */
import type { Config } from '../config.ts'
import { causeOf, PreauError } from '../errors.ts'
import {
  sourceKey,
  type FetchFailure,
  type FetchStatus,
  type ListSource,
} from '../policy/list-source.ts'
import type { Store } from '../store/store.ts'
import type { Validators } from './download.ts'
import { nextFetchAt, retryAt, type Moment } from './fetch-times.ts'
import type { UpdateOutcome } from './update-list.ts'

export interface RecordDeps {
  readonly store: Store
  readonly config: Config
  readonly clock: () => number
  /** What makes the moments of this installation its own. */
  readonly seed: string
}

const MAX_TEXT = 500

export const momentOf = (
  { config, seed }: Pick<RecordDeps, 'config' | 'seed'>,
  source: string,
): Moment => ({
  source,
  seed,
  fetchFromHourUtc: config.lists.fetchFromHourUtc,
  fetchToHourUtc: config.lists.fetchToHourUtc,
})

export interface Success {
  readonly source: ListSource
  readonly by: string
  readonly kind: UpdateOutcome['kind']
  /** Of what came; undefined when the source has answered that nothing has changed. */
  readonly validators: Validators | undefined
  readonly checksum?: FetchStatus['checksum']
}

export async function recordSuccess(
  deps: RecordDeps,
  { source, by, kind, validators, checksum }: Success,
): Promise<void> {
  const { store, clock } = deps
  const { name } = source
  const at = clock()
  const before = (await store.get('fetch', name))?.body
  const { failure: _over, claim: _done, ...kept } = before ?? { nextAt: 0 }
  const told: Pick<Success, 'checksum'> = checksum === undefined ? {} : { checksum }
  const come = { ...validators, changedAt: at, source: sourceKey(source), ...told }
  const known: Partial<FetchStatus> = validators === undefined ? kept : come
  const body: FetchStatus = {
    ...known,
    checkedAt: at,
    nextAt: nextFetchAt(momentOf(deps, name), at),
  }
  const detail = { outcome: kind, ...(checksum && { checksum }) }
  const note = { by, action: 'source.fetch', subject: name, detail, at }
  await store.commit(note, [{ kind: 'fetch', id: name, body }])
}

/** Keeps what is known of the last success, and plans the next attempt. */
export async function recordFailure(
  deps: RecordDeps,
  name: string,
  by: string,
  error: unknown,
): Promise<void> {
  const { store, clock } = deps
  const at = clock()
  const before = (await store.get('fetch', name))?.body
  const { code, params } =
    error instanceof PreauError
      ? error
      : new PreauError('PREAU_INTERNAL', { detail: causeOf(error) })
  const times = (before?.failure?.times ?? 0) + 1
  const failure: FetchFailure = {
    since: before?.failure?.since ?? at,
    at,
    times,
    code,
    params: shortened(params),
  }
  const { claim: _done, ...kept } = before ?? { nextAt: 0 }
  const body: FetchStatus = {
    ...kept,
    failure,
    nextAt: retryAt(momentOf(deps, name), times, at),
  }
  const note = { by, action: 'source.fail', subject: name, detail: { code, times }, at }
  await store.commit(note, [{ kind: 'fetch', id: name, body }])
}

/** What a source has sent may stand in the text: the store keeps small records. */
function shortened(params: FetchFailure['params']): FetchFailure['params'] {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      if (typeof value === 'number') return [name, value]
      return [
        name,
        typeof value === 'string' ? cut(value) : { fr: cut(value.fr), en: cut(value.en) },
      ]
    }),
  )
}

const cut = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
