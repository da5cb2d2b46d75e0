/**
 * Makes one connection to the Redis that may be written: the server of the address, the one that the sentinels name, or
 * the node of a cluster that holds our slot. A connection is made once and never mends itself: `redis-link.ts` makes
 * the next one. So ioredis has nothing to queue and nothing to send twice.
 */
import { Redis, type RedisOptions } from 'ioredis'
import type { Endpoint, RedisAddress } from '../config-store.ts'

export interface ConnectOptions {
  readonly address: RedisAddress
  /** PEM of the authority to trust; undefined: those of the system. */
  readonly ca: string | undefined
  readonly sentinelPassword: string | null
  readonly timeoutMs: number
  /** Any key of ours: all of them are in its slot. */
  readonly slotKey: string
}

/** How soon a closed socket that the other side keeps open is destroyed. */
const DISCONNECT_MS = 100

/** More nodes than a cluster of ours has; a bound of what one answer may make us remember. */
const MAX_KNOWN = 100

export interface Connecting {
  readonly redis: Redis
  /** Resolves when commands may be sent; rejects with the reason why the connection has ended. */
  readonly ready: Promise<void>
  /** Resolves at its end with the reason, whether it was ever ready or not. */
  readonly ended: Promise<unknown>
}

export class RedisConnector {
  readonly #options: ConnectOptions
  /** Nodes of the cluster that were seen last: those of the address may have gone. */
  #known: readonly Endpoint[] = []
  /** Which of the endpoints is asked first: one whose machine is off would cost every attempt its time. */
  #turn = 0

  constructor(options: ConnectOptions) {
    this.#options = options
  }

  /** `signal` gives it up. Rejects where no server can be named; whether it can be reached shows at `ready`. */
  async connect(signal: AbortSignal): Promise<Connecting> {
    const { address, sentinelPassword, timeoutMs } = this.#options
    if (address.mode !== 'sentinel') {
      const [first] = address.endpoints
      const endpoint = address.mode === 'single' ? first : await this.#masterOfSlot(signal)
      return watchOver(new Redis({ ...this.#common(), ...endpoint }), signal)
    }
    const tls = this.#tls()
    const redis = new Redis({
      ...this.#common(),
      sentinels: this.#inTurn(address.endpoints),
      name: address.master ?? '',
      ...(sentinelPassword === null ? {} : { sentinelPassword }),
      ...(tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: tls }),
      sentinelCommandTimeout: timeoutMs,
      sentinelRetryStrategy: () => null,
    })
    return watchOver(redis, signal)
  }

  /** The last attempt has failed: the next one begins elsewhere. */
  turn(): void {
    this.#turn += 1
  }

  #inTurn(endpoints: readonly Endpoint[]): Endpoint[] {
    const first = this.#turn % endpoints.length
    return [...endpoints.slice(first), ...endpoints.slice(0, first)]
  }

  #common(): RedisOptions {
    const { address, timeoutMs } = this.#options
    const { username, password, db } = address
    const tls = this.#tls()
    return {
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls }),
      db,
      connectionName: 'preau',
      connectTimeout: timeoutMs,
      disconnectTimeout: DISCONNECT_MS,
      retryStrategy: null,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      // Loading and the role are asked for by the link, whose patience has an end.
      enableReadyCheck: false,
      disableClientInfo: true,
    }
  }

  #tls(): { ca?: string } | undefined {
    const { address, ca } = this.#options
    if (!address.isTls) return undefined
    return ca === undefined ? {} : { ca }
  }

  async #masterOfSlot(signal: AbortSignal): Promise<Endpoint> {
    let reason: unknown = new Error('no node of the cluster answers')
    for (const endpoint of this.#inTurn([...this.#options.address.endpoints, ...this.#known])) {
      signal.throwIfAborted()
      try {
        return await this.#askNode(endpoint, signal)
      } catch (error) {
        reason = error
      }
    }
    throw reason
  }

  async #askNode(endpoint: Endpoint, signal: AbortSignal): Promise<Endpoint> {
    const { slotKey, timeoutMs } = this.#options
    // It is over when it has answered, or after as long as one command may take.
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const node = new Redis({ ...this.#common(), ...endpoint })
    const { redis, ready, ended } = watchOver(node, limit)
    try {
      await ready
      const asked = Promise.all([redis.cluster('KEYSLOT', slotKey), redis.cluster('SLOTS')])
      const failed = ended.then(reason => Promise.reject(reason))
      const [slot, ranges] = await Promise.race([asked, failed])
      const nodes = nodesOf(ranges, endpoint)
      this.#known = nodes.flatMap(range => range.nodes).slice(0, MAX_KNOWN)
      const master = nodes.find(({ first, last }) => first <= slot && slot <= last)?.nodes[0]
      if (master === undefined) throw new Error(`no node of the cluster has slot ${slot}`)
      return master
    } finally {
      close(redis)
    }
  }
}

interface Range {
  readonly first: number
  readonly last: number
  /** The master first. */
  readonly nodes: readonly Endpoint[]
}

/** What CLUSTER SLOTS answers; a node without a name is the one that was asked (redis.io/commands/cluster-slots). */
function nodesOf(ranges: unknown, asked: Endpoint): Range[] {
  const rows = ranges as [number, number, ...[string | null, number][]][]
  return rows.map(([first, last, ...nodes]) => ({
    first,
    last,
    nodes: nodes.map(([host, port]) => ({
      host: host === null || host === '' ? asked.host : host,
      port,
    })),
  }))
}

/** Follows one connection to its end. Without a listener an error would end the process. */
function watchOver(redis: Redis, signal: AbortSignal): Connecting {
  let reason: unknown = new Error('the connection was closed')
  const ready = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<unknown>()
  ready.promise.catch(() => undefined)
  const end = (): void => {
    signal.removeEventListener('abort', giveUp)
    ready.reject(reason)
    ended.resolve(reason)
  }
  // Not at its `end`, which may be a name server or a sentinel away.
  const giveUp = (): void => {
    reason = signal.reason
    close(redis)
    end()
  }
  redis.on('error', (error: Error) => {
    reason = reworded(error)
  })
  redis.once('ready', ready.resolve)
  redis.once('end', end)
  if (signal.aborted) giveUp()
  else signal.addEventListener('abort', giveUp)
  return { redis, ready: ready.promise, ended: ended.promise }
}

/** What ioredis says of sentinels is about its own settings, and leaves out what is wrong with their TLS. */
function reworded(error: Error): Error {
  const [isSentinel, last] =
    /^All sentinels are unreachable.*?(?:Last error: (.*))?$/.exec(error.message) ?? []
  if (isSentinel === undefined) return error
  const hint =
    last === 'Connection is closed.' ? 'none can be reached; with TLS: redis.caFile?' : last
  return new Error(`no sentinel answers (${hint ?? 'none knows this master'})`)
}

/** Ends a connection at once, whatever the other side does. */
export function close(redis: Redis): void {
  redis.disconnect()
  // Undefined until the connecting has begun.
  ;(redis as { stream?: Redis['stream'] }).stream?.destroy()
}
