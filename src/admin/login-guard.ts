/**
 * Slows guessing down: an account waits after failures from one network, and a network after failures on any account.
 * Counted in the store, so that all admin processes count together and a restart forgets nothing.
 */
import type { Limits } from '../config.ts'
import { PreauError } from '../errors.ts'
import { networkOf } from '../policy/address.ts'
import { parseSocketAddress } from '../policy/host.ts'
import type { Permits, Taken } from '../store/store.ts'
import { createAuditBudget } from './audit-budget.ts'
import { hashToken } from './token.ts'

/** What the audit log needs to know of a failure. `unlogged`: failures before this one that were only counted. */
export interface Failure {
  readonly isLogged: boolean
  readonly lock: 'account' | 'address' | undefined
  readonly unlogged: number
}

/** An attempt that may look at its password. Each throws what the store throws. */
export interface Attempt {
  /** The password was right: earlier failures of this account from here are forgotten. */
  succeed(): Promise<void>
  /** The password was not looked at: the attempt does not count. */
  release(): Promise<void>
  fail(): Promise<Failure>
}

export interface LoginGuard {
  /**
   * Counts the attempt before its password is computed, so that parallel ones cannot slip by, on however many processes.
   * Throws PREAU_SIGN_IN_LOCKED, which moves no lock: nobody can keep one shut by knocking. Throws what the store throws.
   */
  admit(account: string, address: string): Promise<Attempt>
}

const MINUTE_MS = 60_000
/** A network may fail this many times as often as one account: a whole office may stand behind it. */
const NETWORK_FACTOR = 4

type GuardLimits = Pick<Limits, 'loginAttempts' | 'loginLockMinutes'>

/** `loginAttempts` 0 turns the lock off. `onLimit` hears of each attempt that had to wait. */
export function createLoginGuard(
  permits: Permits,
  { loginAttempts, loginLockMinutes }: GuardLimits,
  onLimit = (_limit: 'loginAttempts'): void => undefined,
): LoginGuard {
  const budget = createAuditBudget(permits)
  const windowMs = loginLockMinutes * MINUTE_MS
  const unguarded: Attempt = {
    succeed: async () => undefined,
    release: async () => undefined,
    fail: async () => ({ ...(await budget()), lock: undefined }),
  }
  const perNetwork = loginAttempts * NETWORK_FACTOR
  const take = (key: string, max: number): Promise<Taken> =>
    permits.take(key, { max, windowMs, isSliding: true })
  const refuse = ({ leftMs }: Taken): never => {
    onLimit('loginAttempts')
    throw new PreauError('PREAU_SIGN_IN_LOCKED', {
      minutes: Math.max(1, Math.ceil(leftMs / MINUTE_MS)),
    })
  }
  return {
    async admit(account, address) {
      if (loginAttempts === 0 || windowMs === 0) return unguarded
      const { ofAccount, ofNetwork } = keysOf(account, address)
      // The account first: while it waits, attempts on it touch nothing that others of the network share.
      const own = await take(ofAccount, loginAttempts)
      if (!own.isTaken) return refuse(own)
      const shared = await take(ofNetwork, perNetwork)
      if (!shared.isTaken) {
        await permits.giveBack(ofAccount)
        return refuse(shared)
      }
      const lock =
        own.taken === loginAttempts
          ? 'account'
          : shared.taken === perNetwork
            ? 'address'
            : undefined
      return {
        async succeed() {
          await Promise.all([permits.clear(ofAccount), permits.giveBack(ofNetwork)])
        },
        async release() {
          await Promise.all([permits.giveBack(ofAccount), permits.giveBack(ofNetwork)])
        },
        fail: async () => ({ ...(await budget()), lock }),
      }
    },
  }
}

/** Hashed: people type their password where the name belongs, and a key has a length that nobody chooses. */
function keysOf(account: string, address: string) {
  const parsed = parseSocketAddress(address)
  const network = parsed === undefined ? address : networkOf(parsed)
  return {
    ofAccount: `sign-in:account:${hashToken(JSON.stringify([account, network]))}`,
    ofNetwork: `sign-in:network:${network}`,
  }
}
