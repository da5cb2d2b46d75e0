/**
 * The parent proxies of browsing: which one a target goes through now, and how it is reached. A parent resolves names itself,
 * so that no address is judged here: what can only lead inside is refused by its name or as an address.
 */
import type { ParentsConfig } from '../config-parents.ts'
import { hasCode, PreauError } from '../errors.ts'
import type { AddressJudge } from '../policy/address.ts'
import { isAddress, isInnerName, type Host, type Target } from '../policy/host.ts'
import type { Dial } from './dial.ts'
import { ParentHealth, type ParentFault } from './parent-health.ts'
import { allParents, compileWays, type Parent, type Way } from './ways.ts'

export interface ParentsOptions {
  readonly config: ParentsConfig
  /** Names with a fixed address. */
  readonly fixed: Iterable<string>
  readonly addresses: AddressJudge
  readonly isOwn: (address: Host, port: number) => boolean
  /** Connects to whatever the configuration names, inner or not. */
  readonly dial: Dial
  readonly onChange?: (parent: Parent, fault: ParentFault | undefined) => void
}

export const CREDENTIALS_REFUSED = 407

/** Préau itself, where it tries a parent for nobody. */
const NOBODY = { ip: '0.0.0.0' as Host, site: '' }

export class Parents {
  readonly health: ParentHealth
  /** Connects to a parent itself; one that cannot be reached is PREAU_PARENT_DOWN, and left out from then on. */
  readonly dial: Dial
  readonly #options: ParentsOptions
  readonly #waysTo: (host: Host) => readonly Way[]

  constructor(options: ParentsOptions) {
    const { config, fixed, onChange = () => undefined } = options
    this.#options = options
    this.#waysTo = compileWays(config, fixed)
    const parents = Object.entries(config.proxies).map(([name, address]) => ({ ...address, name }))
    const byAddress = new Map(parents.map(parent => [addressOf(parent), parent]))
    this.health = new ParentHealth({
      parents,
      retryAfterMs: config.retryAfterMs,
      probe: (parent, onEnd) =>
        void options.dial(parent, NOBODY, socket => {
          socket?.destroy()
          onEnd(socket !== undefined)
        }),
      onChange,
    })
    this.dial = (target, client, onDialled, onread) =>
      options.dial(
        target,
        client,
        (socket, error) => {
          const parent = byAddress.get(addressOf(target))
          // Without a descriptor or a turn at the DNS it is not the parent that fails.
          if (parent === undefined || error === undefined || error.code === 'PREAU_OVERLOADED')
            onDialled(socket, error)
          else {
            this.health.failed(parent, 'unreachable')
            onDialled(undefined, new PreauError('PREAU_PARENT_DOWN', {}, { cause: error }))
          }
        },
        onread,
      )
  }

  /**
   * The first way to a target that may be used and was not tried. Throws PREAU_ADDRESS_NOT_PUBLIC for what no parent may be
   * asked for, PREAU_PARENT_DOWN when no way is left.
   */
  choose(target: Target, tried: readonly Way[] = []): Way {
    const ways = this.#waysTo(target.host)
    if (allParents(ways).length > 0) this.#assertOutside(target)
    const way = ways.find(
      one => !tried.includes(one) && (one === 'direct' || this.health.mayUse(one)),
    )
    if (way === undefined) throw new PreauError('PREAU_PARENT_DOWN')
    return way
  }

  /** What a parent answers to a request: but to our credentials, an answer is one. */
  hears(parent: Parent, status: number | undefined): void {
    if (status !== CREDENTIALS_REFUSED) this.health.reached(parent)
  }

  /** Why a request had no answer of a parent, as far as that is the parent's fault; `dial` has told its own. */
  blame(parent: Parent, error: Error): void {
    if (hasCode(error, 'PREAU_PARENT_CREDENTIALS')) this.health.failed(parent, 'credentials')
    else if (hasCode(error, 'PREAU_DIAL_TIMEOUT')) this.health.silent(parent)
  }

  #assertOutside({ host, port }: Target): void {
    const { addresses, isOwn } = this.#options
    const isInside = isAddress(host)
      ? addresses(host) === 'non-public' || isOwn(host, port)
      : isInnerName(host)
    if (isInside) throw new PreauError('PREAU_ADDRESS_NOT_PUBLIC', { host })
  }

  close(): void {
    this.health.close()
  }
}

const addressOf = ({ host, port }: Target): string => `${host}:${port}`
