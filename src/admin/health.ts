/** How everything is, part by part: what monitoring asks for, and what the first page warns of. Looked at now and then. */
import { statfs } from 'node:fs/promises'
import type { Sample, MetricName } from '../metrics.ts'
import type { RefusalReason } from '../policy/verdict.ts'
import type { StoreHealth, StoreWarning } from '../store/store.ts'
import type { AdminDeps } from './deps.ts'
import { readListState } from './list-state.ts'
import { RecentCount } from './recent-count.ts'
import { within } from './within.ts'

/** `warn`: somebody should look; `fail`: unfit for service. */
export type PartState = 'ok' | 'warn' | 'fail'

export interface Health {
  readonly store: StoreHealth & { readonly state: PartState }
  readonly workers: {
    readonly state: PartState
    /** False: the supervisor has not told of them in time. */
    readonly isTold: boolean
    readonly configured: number
    readonly up: number
    readonly silent: number
    /** Within the last ten minutes. */
    readonly restarts: number
  }
  /** How many processes, this one among them, decide on their last good state. */
  readonly lastState: { readonly state: PartState; readonly processes: number }
  /** Names of the lists that are too old. */
  readonly lists: { readonly state: PartState; readonly old: readonly string[] }
  /** Lines of the access log lost within the last hour. */
  readonly log: { readonly state: PartState; readonly lostLines: number }
  /** Names of which the DNS said nothing, within the last ten minutes. */
  /** Exchanges refused to addresses of no school, within the last ten minutes. */
  readonly unknown: { readonly state: PartState; readonly refused: number }
  readonly dns: { readonly state: PartState; readonly unanswered: number }
  /** Parent proxies that do not answer some worker. */
  readonly parents: { readonly state: PartState; readonly out: readonly string[] }
  readonly disk: { readonly state: PartState; readonly freeBytes: number | null }
  /** Of the worker that is nearest to its limit. */
  readonly descriptors: {
    readonly state: PartState
    readonly open: number | null
    readonly max: number | null
  }
  /** `endsInDays`: until every PC needs its successor; null where there is none. */
  readonly authority: {
    readonly state: PartState
    readonly isUsable: boolean
    readonly endsInDays: number | null
  }
}

const PERIOD_MS = 10_000
/** An answer this young serves another who asks. */
const FRESH_MS = 1_000
/** For what may hang with the disk. */
const PATIENCE_MS = 900
const HOUR_MS = 3_600_000
const RECENT_MS = 600_000
/** Names without an answer in that time that are more than a few sites that have gone. */
const MANY_UNANSWERED = 20
const CRASH_WINDOW_MS = 600_000
/** Restarts in that time that are more than an accident. */
export const MANY_RESTARTS = 3
/** Room for some days of the access log and an update of the lists. */
const LOW_DISK_BYTES = 2 ** 30
const LOW_DISK_SHARE = 0.05
const MANY_DESCRIPTORS = 0.8
const DAY_MS = 86_400_000
/** A new certificate has to reach every PC. */
const CA_WARNING_DAYS = 90

export class HealthWatch {
  readonly #deps: AdminDeps
  readonly #restarts: RecentCount
  readonly #lost: RecentCount
  readonly #unanswered: RecentCount
  readonly #unknown: RecentCount
  readonly #timer: NodeJS.Timeout
  #latest: Health | undefined
  #lookedAt = -Infinity
  #looking: Promise<Health> | undefined
  #old: readonly string[] = []

  constructor(deps: AdminDeps, periodMs = PERIOD_MS) {
    this.#deps = deps
    this.#restarts = new RecentCount(CRASH_WINDOW_MS)
    this.#lost = new RecentCount(HOUR_MS)
    this.#unanswered = new RecentCount(RECENT_MS)
    this.#unknown = new RecentCount(RECENT_MS)
    void this.now()
    this.#timer = setInterval(() => void this.now(), periodMs).unref()
  }

  /** As it was some seconds ago: for pages, which wait for nothing. Undefined right after the start. */
  get latest(): Health | undefined {
    return this.#latest
  }

  /** As it is, within a bounded time. Never rejects; whoever asks meanwhile gets the same answer. */
  now(): Promise<Health> {
    if (this.#latest !== undefined && performance.now() - this.#lookedAt < FRESH_MS)
      return Promise.resolve(this.#latest)
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #look(): Promise<Health> {
    const { gather, store, config, clock, ownSamples = () => [] } = this.#deps
    const [samples, storeHealth, freeBytes] = await Promise.all([
      gather().catch(() => undefined),
      store.check(),
      within(PATIENCE_MS, freeSpace(config.dataDir)),
    ])
    const { isUp } = storeHealth
    if (isUp) this.#old = await this.#oldLists()
    const told = new Told([...(samples ?? []), ...ownSamples()])
    const warnings = withLosses(storeHealth.warnings, told.sum('preau_store_lost_acts'))
    const now = performance.now()
    const restarts = this.#restarts.add(told.sum('preau_restarts_total'), now)
    const lostLines = this.#lost.add(told.sum('preau_access_log_lost_lines_total'), now)
    const unanswered = this.#unanswered.add(told.sum('preau_dns_unanswered_total'), now)
    const unknown = this.#unknown.add(told.refused('unknown-network'), now)
    const processes = told.sum('preau_last_state_in_use')
    const isUsable = this.#deps.caFingerprint() !== undefined && told.isAll('preau_ca_usable', 1)
    const [end] = told.of('preau_ca_end_seconds')
    const endsInDays = end ? Math.floor((end.value * 1_000 - clock()) / DAY_MS) : null
    this.#latest = {
      store: { ...storeHealth, warnings, state: isUp ? warnIf(warnings.length > 0) : 'fail' },
      workers: workersOf(told, samples !== undefined, restarts, config.workers),
      lastState: { state: warnIf(processes > 0), processes },
      lists: { state: warnIf(this.#old.length > 0), old: this.#old },
      log: { state: warnIf(lostLines > 0), lostLines },
      unknown: { state: warnIf(unknown > 0), refused: unknown },
      dns: { state: warnIf(unanswered >= MANY_UNANSWERED), unanswered },
      parents: parentsOf(told),
      disk: { state: warnIf(freeBytes?.isLow === true), freeBytes: freeBytes?.bytes ?? null },
      descriptors: descriptorsOf(told),
      authority: { state: warnIf(!isUsable || endsSoon(endsInDays)), isUsable, endsInDays },
    }
    this.#lookedAt = performance.now()
    return this.#latest
  }

  async #oldLists(): Promise<readonly string[]> {
    const told = await within(PATIENCE_MS, readListState(this.#deps))
    if (told === undefined) return this.#old
    return told.standings.filter(({ state }) => state === 'old').map(({ name }) => name)
  }
}

export const endsSoon = (days: number | null): days is number =>
  days !== null && days < CA_WARNING_DAYS

const warnIf = (isSo: boolean): PartState => (isSo ? 'warn' : 'ok')

/** Clicks are confirmed by the workers: what they miss is told as if this process had. */
function withLosses(warnings: readonly StoreWarning[], count: number): readonly StoreWarning[] {
  if (count === 0) return warnings
  const others = warnings.filter(({ code }) => code !== 'acts-lost')
  return [{ code: 'acts-lost', params: { count } }, ...others]
}

/** What the workers have told. */
class Told {
  readonly #samples: readonly Sample[]

  constructor(samples: readonly Sample[]) {
    this.#samples = samples
  }

  of(name: MetricName): readonly Sample[] {
    return this.#samples.filter(sample => sample.name === name)
  }

  sum(name: MetricName): number {
    return this.of(name).reduce((sum, { value }) => sum + value, 0)
  }

  /** Exchanges refused for a reason. */
  refused(reason: RefusalReason): number {
    return this.of('preau_exchanges_total')
      .filter(({ labels }) => labels?.['reason'] === reason)
      .reduce((sum, { value }) => sum + value, 0)
  }

  /** Also where nobody tells. */
  isAll(name: MetricName, value: number): boolean {
    return this.of(name).every(sample => sample.value === value)
  }
}

/** `isTold`: the supervisor has answered; without it nothing is known of the workers. */
function workersOf(
  told: Told,
  isTold: boolean,
  restarts: number,
  wanted: number,
): Health['workers'] {
  const configured = told.sum('preau_workers') || wanted
  const silent = told.sum('preau_workers_silent')
  const up = told.sum('preau_workers_up')
  const isWell = isTold && up >= configured && silent === 0 && restarts < MANY_RESTARTS
  const state = isTold && up === 0 ? 'fail' : warnIf(!isWell)
  return { state, isTold, configured, up, silent, restarts }
}

function parentsOf(told: Told): Health['parents'] {
  const out = told.of('preau_parent_up').filter(({ value }) => value === 0)
  const names = [...new Set(out.flatMap(({ labels }) => labels?.['parent'] ?? []))].toSorted()
  return { state: warnIf(names.length > 0), out: names }
}

function descriptorsOf(told: Told): Health['descriptors'] {
  const limits = new Map(
    told.of('preau_max_descriptors').map(({ labels, value }) => [labels?.['worker'], value]),
  )
  const [nearest] = told
    .of('preau_open_descriptors')
    .map(({ labels, value: open }) => ({ open, max: limits.get(labels?.['worker']) ?? Infinity }))
    .toSorted((a, b) => b.open / b.max - a.open / a.max)
  if (nearest === undefined) return { state: 'ok', open: null, max: null }
  const { open, max } = nearest
  const state = warnIf(open / max > MANY_DESCRIPTORS)
  return { state, open, max: Number.isFinite(max) ? max : null }
}

/** Undefined where the system does not tell. */
async function freeSpace(
  folder: string,
): Promise<{ readonly bytes: number; readonly isLow: boolean } | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder)
    const bytes = bavail * bsize
    // On a small disk the share counts: a fixed bound would warn for ever.
    return { bytes, isLow: bytes < Math.min(LOW_DISK_BYTES, blocks * bsize * LOW_DISK_SHARE) }
  } catch {
    return undefined
  }
}
