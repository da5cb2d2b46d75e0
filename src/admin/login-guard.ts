/** Slows guessing down: an account waits after failures from one address, and an address after failures on any account. */
import { LRUCache } from 'lru-cache'
import type { Limits } from '../config.ts'
import { PreauError } from '../errors.ts'
import { ipv6Number } from '../policy/address.ts'
import { parseSocketAddress } from '../policy/host.ts'

interface Tally {
  readonly failures: number
  readonly lastAt: number
}

/** What the audit log needs to know of a failure. `unlogged`: failures before this one that were only counted. */
export interface Failure {
  readonly isLogged: boolean
  readonly lock: 'account' | 'address' | undefined
  readonly unlogged: number
}

export interface Attempt {
  /** The password was right: earlier failures of this account from here are forgotten. */
  succeed(): void
  /** The password was not looked at: the attempt does not count. */
  release(): void
  fail(): Failure
}

export interface LoginGuard {
  /** Counts the attempt before its password is computed, so that parallel ones cannot slip by. Throws PREAU_SIGN_IN_LOCKED. */
  admit(account: string, address: string): Attempt
}

const MINUTE_MS = 60_000
const MAX_TALLIES = 10_000
/** An address may fail this many times as often as one account: a whole office may stand behind it. */
const ADDRESS_FACTOR = 4
const MAX_LOGGED_PER_HOUR = 200

type GuardLimits = Pick<Limits, 'loginAttempts' | 'loginLockMinutes'>

/** `loginAttempts` 0 turns the lock off. `onLimit` hears of each attempt that had to wait. */
export function createLoginGuard(
  limits: GuardLimits,
  clock: () => number,
  onLimit = (_limit: 'loginAttempts'): void => undefined,
): LoginGuard {
  const lockMs = limits.loginLockMinutes * MINUTE_MS
  const accounts = createCounter(limits.loginAttempts, lockMs, clock)
  const addresses = createCounter(limits.loginAttempts * ADDRESS_FACTOR, lockMs, clock)
  const budget = createBudget(clock)
  return {
    admit(account, address) {
      const network = networkOf(address)
      const key = JSON.stringify([account, network])
      for (const minutes of [addresses.minutesShut(network), accounts.minutesShut(key)]) {
        if (minutes === 0) continue
        onLimit('loginAttempts')
        throw new PreauError('PREAU_SIGN_IN_LOCKED', { minutes })
      }
      const [byAccount, byAddress] = [accounts.add(key), addresses.add(network)]
      return {
        succeed() {
          accounts.clear(key)
          addresses.takeBack(network)
        },
        release() {
          accounts.takeBack(key)
          addresses.takeBack(network)
        },
        fail: () => ({
          ...budget(),
          lock: byAccount ? 'account' : byAddress ? 'address' : undefined,
        }),
      }
    },
  }
}

function createCounter(limit: number, lockMs: number, clock: () => number) {
  const tallies = new LRUCache<string, Tally>({ max: MAX_TALLIES })
  const read = (key: string): Tally => {
    const tally = tallies.get(key)
    const isFresh = tally !== undefined && clock() < tally.lastAt + lockMs
    return isFresh ? tally : { failures: 0, lastAt: 0 }
  }
  return {
    /** How long it must wait; 0: it may try. */
    minutesShut(key: string): number {
      const { failures, lastAt } = read(key)
      if (limit === 0 || failures < limit) return 0
      return Math.max(1, Math.ceil((lastAt + lockMs - clock()) / MINUTE_MS))
    },
    /** Whether this one reaches the limit. */
    add(key: string): boolean {
      const failures = read(key).failures + 1
      tallies.set(key, { failures, lastAt: clock() })
      return limit > 0 && failures === limit
    },
    clear: (key: string): boolean => tallies.delete(key),
    takeBack(key: string): void {
      const { failures, lastAt } = read(key)
      if (failures > 0) tallies.set(key, { failures: failures - 1, lastAt })
    },
  }
}

/** A flood of failures from many addresses must not flood the audit log: past the budget they are only counted. */
function createBudget(clock: () => number): () => Pick<Failure, 'isLogged' | 'unlogged'> {
  let hour = 0
  let spent = 0
  let unlogged = 0
  return () => {
    const now = Math.floor(clock() / (60 * MINUTE_MS))
    if (now !== hour) {
      hour = now
      spent = 0
    }
    if (spent >= MAX_LOGGED_PER_HOUR) {
      unlogged++
      return { isLogged: false, unlogged }
    }
    spent++
    const before = unlogged
    unlogged = 0
    return { isLogged: true, unlogged: before }
  }
}

/**
 * An IPv6 client has a whole /64 to change its address in (RFC 6177): its network is what is counted. By its bits: the
 * text of an address leaves out zeros wherever there are most, so that one network has many beginnings.
 */
function networkOf(address: string): string {
  const parsed = parseSocketAddress(address)
  return parsed?.includes(':') ? `${ipv6Number(parsed) >> 64n}/64` : (parsed ?? address)
}
