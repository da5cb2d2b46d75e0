/** Names to addresses, with a bounded cache of answers and failures. One question at a time per name. */
import { lookup, Resolver } from 'node:dns/promises'
import { LRUCache } from 'lru-cache'
import { PreauError, type ErrorCode } from '../errors.ts'
import { parseHost, type Host } from '../policy/host.ts'

export interface ResolverOptions {
  /** DNS servers to ask; empty: the system's resolver, `/etc/hosts` included. */
  readonly servers: readonly string[]
  readonly maxEntries: number
  readonly ttlMs: number
  readonly timeoutMs: number
}

/** Answers at once what the cache holds. */
export type Resolve = (host: Host) => readonly Host[] | Promise<readonly Host[]>

const NEGATIVE_TTL_MS = 5_000
const DEFAULT_ENTRIES = 10_000
const MAX_ADDRESSES = 32
const NOT_FOUND = new Set(['ENOTFOUND', 'ENODATA', 'EAI_NODATA', 'EAI_NONAME', 'NOTFOUND'])

type Answer = { readonly addresses: readonly Host[] } | { readonly failure: PreauError }

/** Makes the resolver. It throws PREAU_NAME_NOT_FOUND for a name without address, PREAU_DIAL_TIMEOUT when
 * the DNS is mute, PREAU_UNREACHABLE when it fails. */
export function createResolver(options: ResolverOptions): Resolve {
  const query = options.servers.length === 0 ? askSystem : askServers(options)
  const answers = new LRUCache<Host, Answer | Promise<Answer>>({
    max: options.maxEntries || DEFAULT_ENTRIES,
  })
  const ask = async (host: Host): Promise<Answer> => {
    const found = await answer(host, query)
    answers.set(host, found, { ttl: 'failure' in found ? NEGATIVE_TTL_MS : options.ttlMs || 1 })
    return found
  }
  return host => {
    const known = answers.get(host)
    if (known !== undefined && !(known instanceof Promise)) return readAnswer(known)
    const pending = known ?? ask(host)
    if (known === undefined) answers.set(host, pending)
    return pending.then(readAnswer)
  }
}

function readAnswer(found: Answer): readonly Host[] {
  if ('failure' in found) throw found.failure
  return found.addresses
}

async function answer(host: Host, query: (host: Host) => Promise<string[]>): Promise<Answer> {
  try {
    const texts = await query(host)
    const addresses = texts.slice(0, MAX_ADDRESSES).flatMap(text => parseHost(text) ?? [])
    return addresses.length > 0
      ? { addresses }
      : { failure: new PreauError('PREAU_NAME_NOT_FOUND', { host }) }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    return { failure: new PreauError(reasonOf(code), { host }, { cause: error }) }
  }
}

function reasonOf(code: string): ErrorCode {
  if (NOT_FOUND.has(code)) return 'PREAU_NAME_NOT_FOUND'
  return code === 'ETIMEOUT' ? 'PREAU_DIAL_TIMEOUT' : 'PREAU_UNREACHABLE'
}

async function askSystem(host: Host): Promise<string[]> {
  const found = await lookup(host, { all: true, order: 'verbatim' })
  return found.map(({ address }) => address)
}

function askServers({ servers, timeoutMs }: ResolverOptions): (host: Host) => Promise<string[]> {
  const open = (): Resolver => {
    const own = new Resolver({ timeout: Math.max(1_000, Math.floor(timeoutMs / 4)), tries: 2 })
    own.setServers([...servers])
    return own
  }
  const resolver = open()
  return async host => {
    try {
      return await addressesOf(resolver, host)
    } catch (error) {
      // One answer that cannot be read fails all questions that are on their way (c-ares closes the connection that they
      // share): each of them is asked once more, by itself.
      if ((error as NodeJS.ErrnoException).code !== 'EBADRESP') throw error
      return addressesOf(open(), host)
    }
  }
}

async function addressesOf(resolver: Resolver, host: Host): Promise<string[]> {
  const [v4, v6] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
  const found = [v4, v6].flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  if (found.length === 0 && v4.status === 'rejected') throw v4.reason
  return found
}
