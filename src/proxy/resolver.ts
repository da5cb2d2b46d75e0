/**
 * Names to addresses, with a bounded cache of answers and failures. One question at a time for a name, however many clients
 * wait for it; it ends with the last of them. Questions under way are bounded for each PC and each school.
 */
import { LRUCache } from 'lru-cache'
import { PreauError, type ErrorCode } from '../errors.ts'
import { parseHost, type Host } from '../policy/host.ts'
import { openHostsFile } from './hosts-file.ts'
import { createNameServers, type AskDns, type Question } from './name-servers.ts'
import type { Sharer, Shares } from './shares.ts'

export interface ResolverOptions {
  /** DNS servers to ask; empty: those of the system. */
  readonly servers: readonly string[]
  readonly maxEntries: number
  readonly ttlMs: number
  readonly timeoutMs: number
  /** Bounds the questions under way at once, where clients ask. */
  readonly shares?: Shares
  /** A client was refused a question of its own. */
  readonly onLimit?: (limit: 'lookups' | 'lookupsPerClient') => void
  /** The servers said nothing of this name in all the time that they had. */
  readonly onMute?: (host: Host) => void
}

/** How a look-up ends: addresses; or PREAU_NAME_NOT_FOUND, PREAU_DIAL_TIMEOUT (the DNS is mute), PREAU_UNREACHABLE (it fails). */
export type OnResolved = (addresses: readonly Host[] | undefined, error: unknown) => void

/** What a client waits for. Once `abandon` was called, or the end was told, nothing more is told. */
export interface Waiting {
  abandon(): void
}

export interface Resolver {
  /**
   * Answers at once what is known, and throws a failure that is known; otherwise `onResolved` is called later. Throws
   * PREAU_OVERLOADED where the client waits for too many names already. `client` undefined: Préau itself asks.
   */
  resolve(host: Host, client: Sharer | undefined, onResolved: OnResolved): readonly Host[] | Waiting
  /** Questions under way. */
  readonly pending: number
}

const NEGATIVE_TTL_MS = 5_000
const DEFAULT_ENTRIES = 10_000
const MAX_ADDRESSES = 32
const HOSTS_FILE = '/etc/hosts'
const NOT_FOUND = new Set(['ENOTFOUND', 'ENODATA', 'NOTFOUND'])

type Answer = { readonly addresses: readonly Host[] } | { readonly failure: PreauError }

export function createResolver(options: ResolverOptions): Resolver {
  return new CachingResolver(options)
}

class CachingResolver implements Resolver {
  readonly #options: ResolverOptions
  readonly #askDns: AskDns
  readonly #known = openHostsFile(HOSTS_FILE)
  readonly #answers: LRUCache<Host, Answer>
  /** As many as may be held at once. */
  readonly #lookups = new Map<Host, Lookup>()

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#askDns = createNameServers(options)
    this.#answers = new LRUCache({ max: options.maxEntries || DEFAULT_ENTRIES })
  }

  get pending(): number {
    return this.#lookups.size
  }

  resolve(
    host: Host,
    client: Sharer | undefined,
    onResolved: OnResolved,
  ): readonly Host[] | Waiting {
    const answer = this.#answers.get(host)
    if (answer !== undefined) return read(answer)
    const lookup = this.#lookups.get(host)
    if (lookup !== undefined) return lookup.join(onResolved)
    const own = this.#known(host)
    return own ?? this.#ask(host, client).join(onResolved)
  }

  #ask(host: Host, client: Sharer | undefined): Lookup {
    const { shares, onLimit } = this.#options
    const refusal = client && shares?.take(client)
    if (refusal !== undefined) {
      onLimit?.(refusal === 'pc' ? 'lookupsPerClient' : 'lookups')
      throw new PreauError('PREAU_OVERLOADED')
    }
    const question = this.#askDns(host)
    const lookup = new Lookup(question, () => this.#end(host, client))
    this.#lookups.set(host, lookup)
    void answerOf(host, question).then(found => {
      if (lookup.isOver) return
      const { ttlMs } = this.#options
      this.#answers.set(host, found, { ttl: 'failure' in found ? NEGATIVE_TTL_MS : ttlMs || 1 })
      if ('failure' in found && found.failure.code === 'PREAU_DIAL_TIMEOUT')
        this.#options.onMute?.(host)
      lookup.finish(found)
    })
    return lookup
  }

  #end(host: Host, client: Sharer | undefined): void {
    this.#lookups.delete(host)
    if (client !== undefined) this.#options.shares?.release(client)
  }
}

/** One question, and those who wait for its answer. */
class Lookup {
  readonly #question: Question
  readonly #onOver: () => void
  readonly #waiting = new Set<OnResolved>()
  isOver = false

  /** `onOver`: it has its answer, or nobody waits for one any more. */
  constructor(question: Question, onOver: () => void) {
    this.#question = question
    this.#onOver = onOver
  }

  join(onResolved: OnResolved): Waiting {
    // The same function twice would be one entry.
    const waiter: OnResolved = (addresses, error) => onResolved(addresses, error)
    this.#waiting.add(waiter)
    return {
      abandon: () => {
        if (!this.#waiting.delete(waiter) || this.#waiting.size > 0 || this.isOver) return
        this.#over()
        this.#question.cancel()
      },
    }
  }

  finish(answer: Answer): void {
    this.#over()
    for (const onResolved of this.#waiting) {
      // One that is told may make another one stop waiting.
      if (!this.#waiting.delete(onResolved)) continue
      if ('failure' in answer) onResolved(undefined, answer.failure)
      else onResolved(answer.addresses, undefined)
    }
  }

  #over(): void {
    this.isOver = true
    this.#onOver()
  }
}

/** Whether a look-up has only begun. */
export const isWaiting = (found: readonly Host[] | Waiting): found is Waiting => 'abandon' in found

function read(answer: Answer): readonly Host[] {
  if ('failure' in answer) throw answer.failure
  return answer.addresses
}

/** Never rejects. */
async function answerOf(host: Host, question: Question): Promise<Answer> {
  try {
    const texts = await question.answer
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
