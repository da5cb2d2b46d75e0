/** The TLS contexts of blocked hosts, made on demand. Clients choose the hosts, so their number and pace are bounded. */
import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import { LRUCache } from 'lru-cache'
import { PreauError } from '../errors.ts'
import type { Host } from '../policy/host.ts'
import type { Authority } from './authority.ts'

/** The bound when the configuration sets none (0): a context takes about 35 kB. */
const FALLBACK_MAX = 2_000
const MINUTE_MS = 60_000

export interface LeafCacheOptions {
  /** Hosts kept; 0: an own bound of 2,000. */
  readonly max: number
  /** New certificates per minute; 0: any. */
  readonly perMinute: number
  /** Epoch ms. */
  readonly clock: () => number
}

export interface LeafCache {
  /** TLS 1.2 at least. Throws PREAU_OVERLOADED when too many new hosts are asked for, and what `issueLeaf` throws. */
  contextFor(host: Host): Promise<SecureContext>
}

interface Entry {
  readonly context: Promise<SecureContext>
  /** Epoch ms; infinite while it is being made. */
  renewAt: number
}

export function createLeafCache(
  authority: Pick<Authority, 'issueLeaf'>,
  { max, perMinute, clock }: LeafCacheOptions,
): LeafCache {
  // What is being made stands in the cache itself, as a promise: the callers of a host share it, and the one bound
  // holds for both. One that is pushed out while it is made still answers those who wait for it.
  const entries = new LRUCache<Host, Entry>({ max: max === 0 ? FALLBACK_MAX : max })
  const takeToken = createTokenBucket(perMinute, clock)

  function add(host: Host, now: number): Entry {
    const leaf = authority.issueLeaf(host, now)
    const context = leaf.then(({ certPem, keyPem }) =>
      createSecureContext({
        cert: certPem,
        key: keyPem,
        minVersion: 'TLSv1.2',
        // A handshake costs us more than the client: one for a connection.
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      }),
    )
    const entry: Entry = { context, renewAt: Number.POSITIVE_INFINITY }
    entries.set(host, entry)
    settle(host, entry, leaf, now).catch(() => undefined)
    return entry
  }

  async function settle(
    host: Host,
    entry: Entry,
    leaf: ReturnType<Authority['issueLeaf']>,
    now: number,
  ): Promise<void> {
    try {
      await entry.context
      const { notAfter } = await leaf
      entry.renewAt = now + (notAfter - now) / 2
    } catch {
      // A failure is told to those who wait, and not kept.
      if (entries.peek(host) === entry) entries.delete(host)
    }
  }

  return {
    async contextFor(host) {
      const now = clock()
      const found = entries.get(host)
      if (found !== undefined && now < found.renewAt) return found.context
      if (!takeToken()) throw new PreauError('PREAU_OVERLOADED')
      return add(host, now).context
    },
  }
}

/** A minute's worth may be taken at once, then they come back evenly. */
function createTokenBucket(perMinute: number, clock: () => number): () => boolean {
  if (perMinute === 0) return () => true
  let tokens = perMinute
  let last = clock()
  return () => {
    const now = clock()
    // A clock that is set back must not take tokens away.
    const earned = (Math.max(0, now - last) * perMinute) / MINUTE_MS
    tokens = Math.min(perMinute, tokens + earned)
    last = now
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}
