/** What the admin app is given by the process that runs it. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Catalogue } from '../policy/category.ts'
import type { Store } from '../store/store.ts'
import type { Live } from './live.ts'
import type { LoginGuard } from './login-guard.ts'

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
  readonly caFingerprint: string | undefined
}

/** What the routes share. */
export interface RouteDeps extends AdminDeps {
  readonly live: Live
  readonly guard: LoginGuard
}
