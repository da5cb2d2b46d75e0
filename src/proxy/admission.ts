/** How much one client may take, and one request: connections, exchanges a minute, fields, length of an address. */
import type { IncomingMessage } from 'node:http'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { LimitName } from './limit-name.ts'

type Limits = Pick<
  Config['limits'],
  'connectionsPerClient' | 'exchangesPerMinute' | 'maxHeaders' | 'maxUrlBytes'
>

const MINUTE_MS = 60_000
// Clients of IPv6 have addresses without number: beyond so many in a minute the count starts anew.
const MAX_CLIENTS = 100_000
/** Lines of the access log for bytes that are no request: a PC that sends TLS to this port does so all day. */
const UNREADABLE_PER_MINUTE = 100

export class Admission {
  readonly #limits: Limits
  readonly #onLimit: (limit: LimitName) => void
  readonly #connections = new Map<string, number>()
  readonly #exchanges: MinuteCount
  readonly #unreadable: MinuteCount

  constructor(limits: Limits, clock: () => number, onLimit: (limit: LimitName) => void) {
    this.#limits = limits
    this.#onLimit = onLimit
    this.#exchanges = new MinuteCount(clock)
    this.#unreadable = new MinuteCount(clock)
  }

  /** Whether a client may have one connection more; if so it is counted until `leave`. */
  enter(ip: string): boolean {
    const open = this.#connections.get(ip) ?? 0
    const { connectionsPerClient } = this.#limits
    if (connectionsPerClient > 0 && open >= connectionsPerClient) {
      this.#onLimit('connectionsPerClient')
      return false
    }
    this.#connections.set(ip, open + 1)
    return true
  }

  leave(ip: string): void {
    const open = this.#connections.get(ip) ?? 0
    if (open > 1) this.#connections.set(ip, open - 1)
    else this.#connections.delete(ip)
  }

  /** Counts one exchange of a client. Throws PREAU_TOO_MANY_REQUESTS beyond those of this minute. */
  assertMayOpen(ip: string): void {
    const { exchangesPerMinute } = this.#limits
    if (exchangesPerMinute === 0) return
    if (this.#exchanges.add(ip) <= exchangesPerMinute) return
    this.#onLimit('exchangesPerMinute')
    throw new PreauError('PREAU_TOO_MANY_REQUESTS')
  }

  /** Counts what a client sent that is no request. Answers whether the access log still tells it. */
  mayTellUnreadable(ip: string): boolean {
    return this.#unreadable.add(ip) <= UNREADABLE_PER_MINUTE
  }

  /** Throws PREAU_TOO_MANY_FIELDS or PREAU_URL_TOO_LONG. */
  assertHead({ rawHeaders, url = '' }: IncomingMessage): void {
    const { maxHeaders, maxUrlBytes } = this.#limits
    if (maxHeaders > 0 && rawHeaders.length > 2 * maxHeaders) {
      this.#onLimit('maxHeaders')
      throw new PreauError('PREAU_TOO_MANY_FIELDS')
    }
    if (maxUrlBytes > 0 && url.length > maxUrlBytes) {
      this.#onLimit('maxUrlBytes')
      throw new PreauError('PREAU_URL_TOO_LONG')
    }
  }
}

/** What came of each client in this minute. */
class MinuteCount {
  readonly #clock: () => number
  readonly #counts = new Map<string, number>()
  #minute = 0

  constructor(clock: () => number) {
    this.#clock = clock
  }

  /** Answers how many it is now. */
  add(ip: string): number {
    const minute = Math.floor(this.#clock() / MINUTE_MS)
    if (minute !== this.#minute || this.#counts.size >= MAX_CLIENTS) {
      this.#minute = minute
      this.#counts.clear()
    }
    const count = (this.#counts.get(ip) ?? 0) + 1
    this.#counts.set(ip, count)
    return count
  }
}
