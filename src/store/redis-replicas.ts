/**
 * How many replicas a change must have reached before it is acknowledged: all of them. Whichever takes over must have it,
 * and neither sentinels nor a cluster ask who has acknowledged; a master that was deposed in error goes on answering for a
 * second with the replicas that have not been told yet. One that has been away for a minute is not waited for any more,
 * so that a broken machine does not stop decisions for long: with the settings of the README it cannot be chosen then.
 */

/**
 * Longer than a replica without its master may be chosen: ten times `down-after-milliseconds` (redis.io, Sentinel:
 * replica selection) or `cluster-node-timeout` (`cluster-replica-validity-factor`), 5 s in the README.
 */
const ABSENT_MS = 60_000

export class RedisReplicas {
  readonly #wanted: number
  readonly #absentMs: number
  readonly #now: () => number
  /** At n - 1: when n of them were last seen at once. */
  #seenAt: number[]

  /** `now`: in ms, never set back. */
  constructor(wanted: number, absentMs = ABSENT_MS, now = () => performance.now()) {
    this.#wanted = wanted
    this.#absentMs = absentMs
    this.#now = now
    this.#seenAt = []
    this.reset()
  }

  /** On a new connection nothing is known of those that may have been there a moment ago. */
  reset(): void {
    this.#seenAt = Array.from({ length: this.#wanted }, this.#now)
  }

  /** `connected`: how many follow the master now. */
  saw(connected: number): void {
    this.#seenAt.fill(this.#now(), 0, Math.min(connected, this.#wanted))
  }

  /** The most that were seen at once within the last minute; never less than one, where any is wanted. */
  get required(): number {
    const since = this.#now() - this.#absentMs
    const most = this.#seenAt.findLastIndex(at => at > since) + 1
    return Math.max(Math.min(1, this.#wanted), most)
  }

  /** Whether some have been away for so long that they are not waited for. */
  get isReduced(): boolean {
    return this.required < this.#wanted
  }
}
