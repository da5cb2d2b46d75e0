/**
 * What a worker has counted, fed by the closed Exchange and by the limits that were reached. While it counts it only adds
 * one in small tables whose keys are finite; it becomes samples when somebody asks.
 */
import type { AccessLogEntry } from '../access-log/access-log.ts'
import type { ErrorCode } from '../errors.ts'
import type { Sample } from '../metrics.ts'
import type { CategoryId } from '../policy/category.ts'
import { ALLOW_REASONS, REFUSAL_REASONS, type Verdict } from '../policy/verdict.ts'
import { PORTAL_LIMITS, type PortalLimit } from '../portal/limit-name.ts'
import type { Exchange } from '../proxy/exchange.ts'
import { LIMIT_NAMES, type LimitName } from '../proxy/limit-name.ts'

/** A limit of the configuration that a client of the proxy can run into. */
export type ReachedLimit = LimitName | PortalLimit

type Reason = Verdict['reason'] | 'none'
type Counts<K> = Map<K, number>

/** The codes an exchange can fail with: told from the start, or the first failures would not show as an increase. */
export const FAILURES = [
  'PREAU_ADDRESS_NOT_PUBLIC',
  'PREAU_BAD_ANSWER',
  'PREAU_BAD_REQUEST',
  'PREAU_BAD_TARGET',
  'PREAU_CERTIFICATE_REFUSED',
  'PREAU_DIAL_TIMEOUT',
  'PREAU_EXPECTATION_FAILED',
  'PREAU_FORBIDDEN',
  'PREAU_HEAD_TOO_LARGE',
  'PREAU_HELLO_REFUSED',
  'PREAU_INTERNAL',
  'PREAU_NAME_NOT_FOUND',
  'PREAU_NOT_TLS',
  'PREAU_NOT_WEBSOCKET',
  'PREAU_OVERLOADED',
  'PREAU_PARENT_CREDENTIALS',
  'PREAU_PARENT_DOWN',
  'PREAU_PARENT_REFUSED',
  'PREAU_PORT_REFUSED',
  'PREAU_REQUEST_TIMEOUT',
  'PREAU_TOO_MANY_FIELDS',
  'PREAU_TOO_MANY_REQUESTS',
  'PREAU_UNREACHABLE',
  'PREAU_URL_TOO_LONG',
] as const satisfies ErrorCode[]

export class Tally {
  readonly #allowed = zeros<Reason>(ALLOW_REASONS)
  readonly #warned = zeros<Reason>(['warned-category'])
  readonly #blocked = zeros<Reason>(REFUSAL_REASONS.filter(reason => reason !== 'warned-category'))
  readonly #unjudged = zeros<Reason>(['none'])
  readonly #failures = zeros<ErrorCode>(FAILURES)
  readonly #limits = zeros<ReachedLimit>([...LIMIT_NAMES, ...PORTAL_LIMITS])
  readonly #refusals: Counts<CategoryId>
  #up = 0
  #down = 0
  #leaves = 0

  /** `categories`: those of the catalogue. */
  constructor(categories: Iterable<CategoryId>) {
    this.#refusals = zeros(categories)
  }

  /** Once for each exchange, when it has ended. */
  count(
    { verdict, failure }: Pick<Exchange, 'verdict' | 'failure'>,
    { bytesUp, bytesDown }: Pick<AccessLogEntry, 'bytesUp' | 'bytesDown'>,
  ): void {
    this.#up += bytesUp
    this.#down += bytesDown
    if (failure !== undefined) increment(this.#failures, failure)
    if (verdict === undefined) increment(this.#unjudged, 'none')
    else if (verdict.action === 'allow') increment(this.#allowed, verdict.reason)
    else {
      increment(verdict.action === 'warn' ? this.#warned : this.#blocked, verdict.reason)
      if (verdict.category !== undefined) increment(this.#refusals, verdict.category)
    }
  }

  reached(limit: ReachedLimit): void {
    increment(this.#limits, limit)
  }

  issuedLeaf(): void {
    this.#leaves += 1
  }

  samples(): Sample[] {
    const verdicts = { allow: this.#allowed, warn: this.#warned, block: this.#blocked } as const
    return [
      ...Object.entries({ ...verdicts, none: this.#unjudged }).flatMap(([verdict, counts]) =>
        samplesOf('preau_exchanges_total', counts, reason => ({ verdict, reason })),
      ),
      ...samplesOf('preau_refusals_total', this.#refusals, category => ({ category })),
      ...samplesOf('preau_exchange_failures_total', this.#failures, code => ({ code })),
      ...samplesOf('preau_limits_reached_total', this.#limits, limit => ({ limit })),
      { name: 'preau_client_bytes_total', labels: { direction: 'up' }, value: this.#up },
      { name: 'preau_client_bytes_total', labels: { direction: 'down' }, value: this.#down },
      { name: 'preau_leaf_certificates_total', value: this.#leaves },
    ]
  }
}

const zeros = <K>(keys: Iterable<K>): Counts<K> => new Map([...keys].map(key => [key, 0]))

function increment<K>(counts: Counts<K>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

const samplesOf = <K>(
  name: Sample['name'],
  counts: Counts<K>,
  labelsOf: (key: K) => Record<string, string>,
): Sample[] => [...counts].map(([key, value]) => ({ name, labels: labelsOf(key), value }))
