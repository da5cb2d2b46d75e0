/** What the supervisor and its children say to each other. A child may run newer code than its supervisor: add, never change. */
import type { Config } from './config.ts'
import type { PreauError } from './errors.ts'
import type { Sample } from './metrics.ts'

export type Role = 'proxy' | 'admin'

/** Which part to run. */
export interface Start {
  readonly type: 'start'
  readonly role: Role
  /** Its ports are those that the sockets really have. */
  readonly config: Config
  /** How the command of Préau is typed here; absent of an older supervisor. */
  readonly command?: string
  /** Descriptor of a bound socket to listen on; undefined: it binds one itself, where the configuration says. */
  readonly fd?: number | undefined
}

export type ToChild =
  | Start
  /** Take no more, let what is open end by itself within the time, then exit. A second one may shorten the time. */
  | { readonly type: 'stop'; readonly drainMs: number }
  /** Answered by `pong`. */
  | { readonly type: 'ping' }
  /** To a worker, which answers `metrics`. */
  | { readonly type: 'tell-metrics' }
  /** To the admin process: the answer to its `ask-metrics`. */
  | { readonly type: 'gathered-metrics'; readonly samples: readonly Sample[] }

export type FromChild =
  | { readonly type: 'ready'; readonly port: number }
  /** `lagMs`: the longest turn of its event loop since the last one. */
  | { readonly type: 'pong'; readonly lagMs: number }
  /** It has heard `stop`: from now on it takes no new connection. */
  | { readonly type: 'left' }
  /** Also the last word of a worker that has drained. */
  | { readonly type: 'metrics'; readonly samples: readonly Sample[] }
  | { readonly type: 'ask-metrics' }
  | {
      readonly type: 'failed'
      readonly message: string
      readonly code?: string
      readonly params?: PreauError['params']
    }
