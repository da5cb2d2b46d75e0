/** How much one client may take, and one request: connections, exchanges a minute, fields, length of an address. */
import type { IncomingMessage } from 'node:http'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { networkOf } from '../policy/address.ts'
import type { Client } from '../policy/network.ts'
import type { Exchange } from './exchange.ts'
import type { LimitName } from './limit-name.ts'
import { Shares, type Sharer } from './shares.ts'

type Limits = Pick<
  Config['limits'],
  'connections' | 'connectionsPerClient' | 'exchangesPerMinute' | 'maxHeaders' | 'maxUrlBytes'
>

export interface AdmissionOptions {
  readonly limits: Limits
  readonly clock: () => number
  /** How many schools share the connections. */
  readonly schools: () => number
  readonly onLimit: (limit: LimitName) => void
  /** So many exchanges of a PC were refused in a minute beyond the one that was told. */
  readonly onFlood: (client: Client, times: number) => void
}

const MINUTE_MS = 60_000
// Clients of IPv6 have networks without number: beyond so many in a minute the count starts anew.
const MAX_CLIENTS = 100_000
/** Lines of the access log for bytes that are no request: a PC that sends TLS to this port does so all day. */
const UNREADABLE_PER_MINUTE = 100

export class Admission {
  readonly #options: AdmissionOptions
  readonly #connections: Shares
  readonly #exchanges: MinuteCount
  readonly #unreadable: MinuteCount

  constructor(options: AdmissionOptions) {
    const { limits, clock, schools, onFlood } = options
    this.#options = options
    this.#connections = new Shares({
      all: limits.connections,
      perPc: limits.connectionsPerClient,
      schools,
    })
    this.#exchanges = new MinuteCount(clock, (client, count) => {
      const untold = count - limits.exchangesPerMinute - 1
      if (limits.exchangesPerMinute > 0 && untold > 0) onFlood(client, untold)
    })
    this.#unreadable = new MinuteCount(clock)
  }

  /** Whether a client may have one connection more; if so it is counted until `leave` with the same client. */
  enter(client: Sharer): boolean {
    const refusal = this.#connections.take(client)
    if (refusal === undefined) return true
    this.#options.onLimit(refusal === 'pc' ? 'connectionsPerClient' : 'connections')
    return false
  }

  leave(client: Sharer): void {
    this.#connections.release(client)
  }

  /**
   * Counts one exchange of a client. Throws PREAU_TOO_MANY_REQUESTS beyond those of this minute: the first of them has its line in
   * the access log, the others one together.
   */
  assertMayOpen(exchange: Pick<Exchange, 'client' | 'isTold'>): void {
    if (this.mayOpen(exchange.client)) return
    const { exchangesPerMinute } = this.#options.limits
    exchange.isTold = this.#exchanges.of(exchange.client) === exchangesPerMinute + 1
    throw new PreauError('PREAU_TOO_MANY_REQUESTS')
  }

  /** Counts one exchange of a client. Answers whether it is one of those that it may have in this minute. */
  mayOpen(client: Client): boolean {
    const { limits, onLimit } = this.#options
    const { exchangesPerMinute } = limits
    if (exchangesPerMinute === 0 || this.#exchanges.add(client) <= exchangesPerMinute) return true
    onLimit('exchangesPerMinute')
    return false
  }

  /** Counts what a client sent that is no request. Answers whether the access log still tells it. */
  mayTellUnreadable(client: Client): boolean {
    return this.#unreadable.add(client) <= UNREADABLE_PER_MINUTE
  }

  /** Tells of the floods of this minute. */
  close(): void {
    this.#exchanges.close()
  }

  /** Throws PREAU_TOO_MANY_FIELDS or PREAU_URL_TOO_LONG. */
  assertHead({ rawHeaders, url = '' }: IncomingMessage): void {
    const { limits, onLimit } = this.#options
    const { maxHeaders, maxUrlBytes } = limits
    if (maxHeaders > 0 && rawHeaders.length > 2 * maxHeaders) {
      onLimit('maxHeaders')
      throw new PreauError('PREAU_TOO_MANY_FIELDS')
    }
    if (maxUrlBytes > 0 && url.length > maxUrlBytes) {
      onLimit('maxUrlBytes')
      throw new PreauError('PREAU_URL_TOO_LONG')
    }
  }
}

/** What came of each PC in this minute, by its network: an IPv6 one has a /64 of addresses. */
class MinuteCount {
  readonly #clock: () => number
  readonly #onEnd: ((client: Client, count: number) => void) | undefined
  readonly #counts = new Map<string, { readonly client: Client; count: number }>()
  #minute = 0

  /** `onEnd` hears of each PC when its minute is over and another one begins. */
  constructor(clock: () => number, onEnd?: (client: Client, count: number) => void) {
    this.#clock = clock
    this.#onEnd = onEnd
  }

  /** Answers how many it is now. */
  add(client: Client): number {
    const minute = Math.floor(this.#clock() / MINUTE_MS)
    if (minute !== this.#minute || this.#counts.size >= MAX_CLIENTS) {
      this.close()
      this.#minute = minute
    }
    const pc = networkOf(client.ip)
    const counted = this.#counts.get(pc)
    if (counted !== undefined) return ++counted.count
    this.#counts.set(pc, { client, count: 1 })
    return 1
  }

  of({ ip }: Client): number {
    return this.#counts.get(networkOf(ip))?.count ?? 0
  }

  close(): void {
    if (this.#onEnd !== undefined)
      for (const { client, count } of this.#counts.values()) this.#onEnd(client, count)
    this.#counts.clear()
  }
}
