/** How often somebody ran into a limit of the admin app, by its key. */
import type { Sample } from '../metrics.ts'

const ADMIN_LIMITS = ['adminConnections', 'adminConnectionsPerClient', 'loginAttempts'] as const
export type AdminLimit = (typeof ADMIN_LIMITS)[number]

export class LimitTally {
  readonly #times = new Map(ADMIN_LIMITS.map((limit): [AdminLimit, number] => [limit, 0]))

  readonly onLimit = (limit: AdminLimit): void => {
    this.#times.set(limit, (this.#times.get(limit) ?? 0) + 1)
  }

  samples(): Sample[] {
    const name = 'preau_limits_reached_total'
    return [...this.#times].map(([limit, value]) => ({ name, labels: { limit }, value }))
  }
}
