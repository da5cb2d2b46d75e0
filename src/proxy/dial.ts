/**
 * Reaching an origin: resolve, judge every address, connect to an address that was judged (no second DNS answer in
 * between: DNS rebinding). With `race.ts` the only file that opens outward connections.
 */
import type { OnReadOpts, Socket } from 'node:net'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { AddressJudge } from '../policy/address.ts'
import { isAddress, isInnerName, parseHumanHost, type Host, type Target } from '../policy/host.ts'
import { Deadlines } from './deadlines.ts'
import { asPreauError, guard } from './guard.ts'
import { race } from './race.ts'
import type { Resolve } from './resolver.ts'

export interface DialOptions {
  readonly hosts: Config['dial']['hosts']
  readonly addresses: AddressJudge
  readonly resolve: Resolve
  /** Whether an address and port are Préau's own: never dialled, so that no request goes round in circles. */
  readonly isOwn: (address: Host, port: number) => boolean
  readonly timeoutMs: number
}

/** How a dial ends: a socket that stands, or PREAU_ADDRESS_NOT_PUBLIC, _NAME_NOT_FOUND, _UNREACHABLE, _OVERLOADED or _DIAL_TIMEOUT. */
export type OnDialled = (socket: Socket | undefined, error: PreauError | undefined) => void

/** Connects to a target. `onread`: where its bytes go instead of into the stream. It never throws. */
export type Dial = (target: Target, onDialled: OnDialled, onread?: OnReadOpts) => void

// Out of descriptors or of local ports: it is our fault, not that of the origin, and it passes.
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])

export function createDial(options: DialOptions): Dial {
  const { timeoutMs } = options
  const fixed = new Map(
    Object.entries(options.hosts).map(([name, ip]) => [parseHumanHost(name), [ip]]),
  )
  const deadlines = new Deadlines(timeoutMs)
  return (target, onDialled, onread) => {
    const startedAt = performance.now()
    const go = (found: readonly Host[], isPinned: boolean): void => {
      const permitted = permittedOf(found, target, isPinned, options)
      const left = timeoutMs === 0 ? 0 : Math.max(1, startedAt + timeoutMs - performance.now())
      race(permitted, { port: target.port, timeoutMs: left, deadlines, onread }, (won, error) =>
        onDialled(won, won === undefined ? failureOf(target, error) : undefined),
      )
    }
    const fail = (error: unknown): void => onDialled(undefined, asPreauError(error))
    const pinned = fixed.get(target.host)
    guard(fail, () => {
      if (pinned !== undefined) go(pinned, true)
      else if (isAddress(target.host)) go([target.host], false)
      else {
        const found = options.resolve(target.host)
        if (found instanceof Promise)
          inTime(found, target, timeoutMs).then(late => guard(fail, () => go(late, false)), fail)
        else go(found, false)
      }
    })
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

/** Bounds a question to the DNS; 0: no bound. */
function inTime<T>(answer: Promise<T>, { host }: Target, timeoutMs: number): Promise<T> {
  if (timeoutMs === 0) return answer
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new PreauError('PREAU_DIAL_TIMEOUT', { host })),
      timeoutMs,
    )
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
