/** What the admin app is given by the process that runs it. */
import type { Logger } from 'pino'
import type { ListsInForce } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import type { Sample } from '../metrics.ts'
import type { Catalogue } from '../policy/category.ts'
import type { Current } from '../policy/snapshot.ts'
import type { Store } from '../store/store.ts'
import type { HealthWatch } from './health.ts'
import type { LimitTally } from './limit-tally.ts'
import type { Live } from './live.ts'
import type { LoginGuard } from './login-guard.ts'
import type { ContextFor } from './own-tls.ts'

export interface AdminDeps {
  readonly store: Store
  readonly catalogue: Catalogue
  /** Epoch ms. */
  readonly clock: () => number
  readonly config: Config
  readonly logger: Logger | false
  /** Shown in help texts, e.g. "127.0.0.1:3128". */
  readonly proxyAddress: string
  /** SHA-256 of the city's CA, shown in help texts; undefined when there is none. */
  readonly caFingerprint: () => string | undefined
  /** The certificates of the panel itself; absent where the city has no CA that can be used. */
  readonly contextFor?: ContextFor
  readonly work: ListWork
  /** The snapshot in force, as the proxy processes have it, and the lists that it was opened with. */
  readonly current: Current & { readonly lists: ListsInForce }
  /** What this process tells of itself, with `worker="admin"` on its gauges. */
  readonly ownSamples?: () => readonly Sample[]
  /** The metrics of the proxy workers; undefined when nobody tells them in time. */
  readonly gather: () => Promise<readonly Sample[] | undefined>
}

/** What the routes share. */
export interface RouteDeps extends AdminDeps {
  readonly live: Live
  readonly guard: LoginGuard
  readonly limitTally: LimitTally
  readonly health: HealthWatch
}

/** Work on the lists, done in a process of its own so that no page waits for it. */
export interface ListWork {
  /** Fetches a source now. False when work is going on already. */
  fetch(name: string, by: string): boolean
  readonly current: WorkState | undefined
  /** Calls back at each step; returns the function that stops it. */
  onChange(listener: () => void): () => void
}

/** `done` and `total` are bytes; `total` is absent where it is not known. */
export interface WorkState {
  readonly list: string
  readonly phase: 'download' | 'read' | 'index' | 'compare'
  readonly done: number
  readonly total?: number
  /** Epoch ms. */
  readonly startedAt: number
  readonly by: string
}
