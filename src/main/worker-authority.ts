/**
 * The CA as a proxy worker opens it. One that comes back and finds it damaged goes on without: what is refused stays
 * refused, with a bare 403. `preau start` itself does not begin on such a CA, so that somebody notices.
 */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { type ErrorCode, hasCode } from '../errors.ts'
import { reopenAuthority } from '../install-authority.ts'
import type { Store } from '../store/store.ts'
import type { Authority } from '../tls/authority.ts'

const UNUSABLE: readonly ErrorCode[] = [
  'PREAU_CA_UNREADABLE',
  'PREAU_CA_LOST',
  'PREAU_CA_ELSEWHERE',
  'PREAU_CA_DIFFERS',
]

/** undefined: there is none that can be used, and the log says why. `now`: epoch ms. */
export async function workerAuthority(
  config: Config,
  store: Store,
  now: number,
  logger: Logger,
): Promise<Authority | undefined> {
  try {
    return await reopenAuthority(config, store, now)
  } catch (error) {
    if (!hasCode(error, ...UNUSABLE)) throw error
    logger.error({ err: error }, 'no CA: refused HTTPS sites are answered 403, without their page')
    return undefined
  }
}
