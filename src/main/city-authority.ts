/**
 * The CA as a process that serves has it. One that finds it damaged goes on without: what is refused stays refused, with a
 * bare 403. `preau start` itself does not begin on such a CA, so that somebody notices. A certificate that is put in use
 * while the process serves is followed.
 */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { type ErrorCode, hasCode, PreauError } from '../errors.ts'
import { authorityDir, followCertificate, reopenAuthority } from '../install-authority.ts'
import { CURRENT } from '../policy/document.ts'
import type { Installation } from '../policy/installation.ts'
import type { Store } from '../store/store.ts'
import { openAuthority, type Authority } from '../tls/authority.ts'
import type { LeafCache } from '../tls/leaf-cache.ts'

const UNUSABLE: readonly ErrorCode[] = [
  'PREAU_CA_UNREADABLE',
  'PREAU_CA_LOST',
  'PREAU_CA_ELSEWHERE',
  'PREAU_CA_DIFFERS',
]
/** Commits come in bundles, and this one comes once in five years. */
const LOOK_AFTER_MS = 500

export interface CityAuthorityOptions {
  readonly config: Config
  readonly store: Store
  readonly clock: () => number
  readonly logger: Logger
}

export class CityAuthority {
  readonly #options: CityAuthorityOptions
  #authority: Authority | undefined
  #installation: Installation | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #unwatch = (): void => undefined

  private constructor(options: CityAuthorityOptions) {
    this.#options = options
  }

  /** Opens it, and follows the store from now on. */
  static async follow(options: CityAuthorityOptions): Promise<CityAuthority> {
    const city = new CityAuthority(options)
    city.#authority = await city.#open()
    city.#unwatch = options.store.watch(() => city.#lookSoon())
    city.#lookSoon()
    return city
  }

  /** undefined: there is none that can be used, and the log says why. */
  get current(): Authority | undefined {
    return this.#authority
  }

  /** The certificate that PCs may install already, PEM. */
  get nextPem(): string | undefined {
    return this.#installation?.caNext?.pem
  }

  async close(): Promise<void> {
    this.#unwatch()
    clearTimeout(this.#timer)
    await this.#looking
  }

  async #open(): Promise<Authority | undefined> {
    const { config, store, clock, logger } = this.#options
    try {
      return await reopenAuthority(config, store, clock())
    } catch (error) {
      if (!hasCode(error, ...UNUSABLE)) throw error
      logger.error(
        { err: error },
        'no CA: refused HTTPS sites are answered 403, without their page',
      )
      return undefined
    }
  }

  #lookSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#looking = this.#look().catch((error: unknown) => {
        if (hasCode(error, 'PREAU_STORE_UNAVAILABLE')) return
        this.#options.logger.error({ err: error }, 'the certificate in use could not be followed')
      })
    }, LOOK_AFTER_MS).unref()
  }

  async #look(): Promise<void> {
    const { config, store, clock } = this.#options
    this.#installation = (await store.get('installation', CURRENT))?.body
    const wanted = this.#installation?.caFingerprint
    if (wanted === undefined || this.#authority === undefined) return
    if (wanted === this.#authority.fingerprint256) return
    const folder = authorityDir(config)
    // Another process of this machine may have done it.
    await followCertificate(folder, this.#installation)
    const found = await openAuthority(folder, { cityName: '', now: clock() })
    if (found.fingerprint256 === wanted) this.#authority = found
  }
}

/** The leaves of the certificate in use: those that are kept were signed in the name of the one before. */
export function leavesOfCurrent(
  city: Pick<CityAuthority, 'current'>,
  make: (authority: Authority) => LeafCache,
): () => LeafCache {
  let known: { readonly authority: Authority; readonly leaves: LeafCache } | undefined
  return () => {
    const authority = city.current
    if (authority === undefined) throw new PreauError('PREAU_FORBIDDEN')
    if (known?.authority !== authority) known = { authority, leaves: make(authority) }
    return known.leaves
  }
}
