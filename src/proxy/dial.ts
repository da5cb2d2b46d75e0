/**
 * Reaching an origin: resolve, judge every address, connect to an address that was judged (no second DNS answer in
 * between: DNS rebinding). With `race.ts` the only file that opens outward connections.
 */
import type { OnReadOpts, Socket } from 'node:net'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { AddressJudge } from '../policy/address.ts'
import { isAddress, isInnerName, parseHumanHost, type Host, type Target } from '../policy/host.ts'
import { Deadlines, type Due } from './deadlines.ts'
import { asPreauError, guard } from './guard.ts'
import { race } from './race.ts'
import { isWaiting, type OnResolved, type Resolver, type Waiting } from './resolver.ts'
import type { Sharer } from './shares.ts'

export interface DialOptions {
  readonly hosts: Config['dial']['hosts']
  readonly addresses: AddressJudge
  readonly resolver: Pick<Resolver, 'resolve'>
  /** Whether an address and port are Préau's own: never dialled, so that no request goes round in circles. */
  readonly isOwn: (address: Host, port: number) => boolean
  readonly timeoutMs: number
}

/** How a dial ends: a socket that stands, or PREAU_ADDRESS_NOT_PUBLIC, _NAME_NOT_FOUND, _UNREACHABLE, _OVERLOADED or _DIAL_TIMEOUT. */
export type OnDialled = (socket: Socket | undefined, error: PreauError | undefined) => void

/**
 * Connects to a target for a client. `onread`: where its bytes go instead of into the stream. It never throws. What it answers is
 * abandoned when the client leaves: its look-up and its attempts end then, and `onDialled` is not called any more.
 */
export type Dial = (
  target: Target,
  client: Sharer,
  onDialled: OnDialled,
  onread?: OnReadOpts,
) => Waiting

// Out of descriptors or of local ports: it is our fault, not that of the origin, and it passes.
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])

/** A dial that has ended before anybody could abandon it. */
const OVER: Waiting = { abandon: () => undefined }

export function createDial(options: DialOptions): Dial {
  const { timeoutMs, resolver } = options
  const fixed = new Map(
    Object.entries(options.hosts).map(([name, ip]) => [parseHumanHost(name), [ip]]),
  )
  const deadlines = new Deadlines(timeoutMs)
  return (target, client, onDialled, onread) => {
    const connect = (found: readonly Host[], isPinned: boolean, leftMs: number): Waiting =>
      race(
        permittedOf(found, target, isPinned, options),
        { port: target.port, timeoutMs: leftMs, deadlines, onread },
        (won, error) => onDialled(won, won === undefined ? failureOf(target, error) : undefined),
      )
    const fail = (error: unknown): Waiting => {
      onDialled(undefined, asPreauError(error))
      return OVER
    }
    try {
      const pinned = fixed.get(target.host)
      if (pinned !== undefined) return connect(pinned, true, timeoutMs)
      if (isAddress(target.host)) return connect([target.host], false, timeoutMs)
      const late = new LateDial(target, deadlines, timeoutMs, { connect, fail })
      const found = resolver.resolve(target.host, client, late.onResolved)
      return isWaiting(found) ? late.wait(found) : connect(found, false, timeoutMs)
    } catch (error) {
      return fail(error)
    }
  }
}

interface Steps {
  readonly connect: (found: readonly Host[], isPinned: boolean, leftMs: number) => Waiting
  readonly fail: (error: unknown) => Waiting
}

/** A dial whose name is not known yet: first it waits for the DNS, then for the connection, in one time for both. */
class LateDial implements Waiting, Due {
  seat = -1
  dueAt = 0
  readonly #target: Target
  readonly #deadlines: Deadlines
  readonly #timeoutMs: number
  readonly #steps: Steps
  #waiting: Waiting = OVER

  constructor(target: Target, deadlines: Deadlines, timeoutMs: number, steps: Steps) {
    this.#target = target
    this.#deadlines = deadlines
    this.#timeoutMs = timeoutMs
    this.#steps = steps
  }

  wait(lookup: Waiting): this {
    this.#waiting = lookup
    this.#deadlines.add(this, this.#timeoutMs)
    return this
  }

  readonly onResolved: OnResolved = (addresses, error) => {
    this.#deadlines.delete(this)
    const { connect, fail } = this.#steps
    const leftMs = this.#timeoutMs === 0 ? 0 : Math.max(1, this.dueAt - performance.now())
    this.#waiting = OVER
    if (addresses === undefined) fail(error)
    else guard(fail, () => void (this.#waiting = connect(addresses, false, leftMs)))
  }

  onLate(): void {
    this.abandon()
    this.#steps.fail(new PreauError('PREAU_DIAL_TIMEOUT', { host: this.#target.host }))
  }

  abandon(): void {
    this.#deadlines.delete(this)
    const waiting = this.#waiting
    this.#waiting = OVER
    waiting.abandon()
  }
}

/** The addresses that were judged fit to dial; a name with none of them is refused. */
function permittedOf(
  found: readonly Host[],
  { host, port }: Target,
  isPinned: boolean,
  { addresses, isOwn }: DialOptions,
): readonly Host[] {
  // `localhost` or `nas.local` on the web is a mistake or a lie of the DNS: it leads where the city permits, or nowhere.
  const isInner = isInnerName(host)
  const permitted = found.filter(address => {
    if (isOwn(address, port)) return false
    if (isPinned) return true
    const kind = addresses(address)
    return isInner ? kind === 'permitted' : kind !== 'non-public'
  })
  if (permitted.length === 0) throw new PreauError('PREAU_ADDRESS_NOT_PUBLIC', { host })
  return permitted
}

function failureOf({ host }: Target, cause: NodeJS.ErrnoException | undefined): PreauError {
  if (cause === undefined || cause.code === 'ETIMEDOUT')
    return new PreauError('PREAU_DIAL_TIMEOUT', { host })
  const code = EXHAUSTED.has(cause.code ?? '') ? 'PREAU_OVERLOADED' : 'PREAU_UNREACHABLE'
  return new PreauError(code, { host }, { cause })
}
