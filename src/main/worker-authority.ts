/**
 * The CA as a proxy worker opens it. One that comes back and finds it damaged goes on without: what is refused stays
 * refused, with a bare 403. `preau start` itself does not begin on such a CA, so that somebody notices.
 */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { installAuthority } from '../install-authority.ts'
import type { Store } from '../store/store.ts'
import type { Authority } from '../tls/authority.ts'

/** undefined: there is none that can be used, and the log says why. `now`: epoch ms. */
export async function workerAuthority(
  config: Config,
  store: Store,
  now: number,
  logger: Logger,
): Promise<Authority | undefined> {
  try {
    return await installAuthority(config, store, now)
  } catch (error) {
    if (!(error instanceof PreauError && error.code === 'PREAU_CA_UNREADABLE')) throw error
    logger.error({ err: error }, 'no CA: refused HTTPS sites are answered 403, without their page')
    return undefined
  }
}
