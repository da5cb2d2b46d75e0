/**
 * Reaching an origin: resolve, judge every address, connect to an address that was judged (no second DNS answer in
 * between: DNS rebinding). The only file that opens outward connections.
 */
import { connect as tcpConnect, type LookupFunction, type Socket } from 'node:net'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { AddressJudge } from '../policy/address.ts'
import { isAddress, parseHumanHost, type Host, type Target } from '../policy/host.ts'
import type { Resolve } from './resolver.ts'

export interface DialOptions {
  readonly hosts: Config['dial']['hosts']
  readonly addresses: AddressJudge
  readonly resolve: Resolve
  /** Whether an address and port are Préau's own: never dialled, so that no request goes round in circles. */
  readonly isOwn: (address: Host, port: number) => boolean
  readonly timeoutMs: number
}

/** Connects to a target. Rejects with PREAU_ADDRESS_NOT_PUBLIC, _NAME_NOT_FOUND, _UNREACHABLE or _DIAL_TIMEOUT. */
export type Dial = (target: Target) => Promise<Socket>

const ATTEMPT_MS = 250

export function createDial(options: DialOptions): Dial {
  const fixed = new Map(
    Object.entries(options.hosts).map(([name, ip]) => [parseHumanHost(name), ip]),
  )
  return async target => {
    const deadline = deadlineOf(target, options.timeoutMs)
    try {
      const permitted = await Promise.race([
        permittedAddresses(target, fixed, options),
        deadline.expired,
      ])
      return await connect(target, permitted, deadline)
    } finally {
      deadline.clear()
    }
  }
}

interface Deadline {
  readonly expired: Promise<never>
  readonly clear: () => void
}

function deadlineOf({ host }: Target, timeoutMs: number): Deadline {
  if (timeoutMs === 0) return { expired: new Promise(() => undefined), clear: () => undefined }
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PreauError('PREAU_DIAL_TIMEOUT', { host })), timeoutMs)
  })
  // Nobody may be waiting when it expires: that is not an unhandled rejection.
  expired.catch(() => undefined)
  return { expired, clear: () => clearTimeout(timer) }
}

async function permittedAddresses(
  { host, port }: Target,
  fixed: ReadonlyMap<Host | undefined, Host>,
  { addresses, resolve, isOwn }: DialOptions,
): Promise<readonly Host[]> {
  const pinned = fixed.get(host)
  const found = pinned === undefined ? (isAddress(host) ? [host] : await resolve(host)) : [pinned]
  const permitted = found.filter(
    address =>
      (pinned !== undefined || addresses(address) !== 'non-public') && !isOwn(address, port),
  )
  if (permitted.length === 0) throw new PreauError('PREAU_ADDRESS_NOT_PUBLIC', { host })
  return permitted
}

async function connect(
  target: Target,
  addresses: readonly Host[],
  deadline: Deadline,
): Promise<Socket> {
  const { host, port } = target
  // With several addresses Node races them (RFC 8305) among those that we hand it, and never asks the DNS itself.
  const lookup: LookupFunction = (_name, _options, callback) =>
    callback(
      null,
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  const first = addresses[0]
  const socket = tcpConnect({
    port,
    allowHalfOpen: true,
    noDelay: true,
    ...(addresses.length === 1 && first !== undefined
      ? { host: first }
      : { host, lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: ATTEMPT_MS }),
  })
  try {
    await Promise.race([connected(socket, host), deadline.expired])
    return socket
  } catch (error) {
    socket.on('error', () => undefined)
    socket.destroy()
    throw error
  }
}

function connected(socket: Socket, host: Host): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const code = error.code === 'ETIMEDOUT' ? 'PREAU_DIAL_TIMEOUT' : 'PREAU_UNREACHABLE'
      reject(new PreauError(code, { host }, { cause: error }))
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      resolve()
    })
  })
}
