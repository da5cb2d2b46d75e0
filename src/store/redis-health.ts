/** Whether Redis keeps what it acknowledges: its settings against what the store promises. */
import type { Lost } from './redis-acknowledged.ts'
import type { RedisLink } from './redis-link.ts'
import { RedisRefusal } from './redis-error.ts'
import type { StoreWarning } from './store.ts'

/** What `ZREVRANGEBYLEX`, `XADD` and scripts need, with the fixes of the streams. */
const OLDEST = [6, 2] as const
/** Replicas acknowledge every second. */
const MAX_LAG_S = 5

export interface Replication {
  /** How many replicas there are said to be. */
  readonly wanted: number
  /** Whether a replica may take over without a person. */
  readonly canFailOver: boolean
  /** What was acknowledged and is not there. */
  readonly lost: Lost
}

/** Rejects where Redis does not answer. */
export async function durabilityWarnings(
  link: RedisLink,
  replication: Replication,
): Promise<StoreWarning[]> {
  const [info, settings] = await Promise.all([readInfo(link), readSettings(link)])
  const ofInfo = info === undefined ? [] : infoWarnings(info, replication)
  return [...lossWarnings(replication.lost), ...settings, ...ofInfo]
}

function lossWarnings({ count, names }: Lost): StoreWarning[] {
  if (count === 0) return []
  return [{ code: 'acts-lost', params: { count, names: names.join(', ') } }]
}

/** Undefined where this user may not ask. */
async function readInfo(link: RedisLink): Promise<Map<string, string> | undefined> {
  try {
    const text = (await link.call('INFO', [])) as string
    const pairs = text.split('\r\n').map(line => line.split(':', 2) as [string, string])
    return new Map(pairs)
  } catch (error) {
    if (error instanceof RedisRefusal) return undefined
    throw error
  }
}

function infoWarnings(
  info: Map<string, string>,
  { wanted, canFailOver }: Replication,
): StoreWarning[] {
  const version = info.get('redis_version') ?? '0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isOld = (major - OLDEST[0] || minor - OLDEST[1]) < 0
  const found = [...info].filter(([key, value]) => /^slave\d+$/.test(key) && keepsUp(value)).length
  return [
    ...(isOld
      ? [{ code: 'engine-old', params: { found: version, oldest: OLDEST.join('.') } } as const]
      : []),
    ...(canFailOver && wanted < found
      ? [{ code: 'failover-unsafe', params: { found, wanted } } as const]
      : []),
    ...(found < wanted ? [{ code: 'replicas-missing', params: { found, wanted } } as const] : []),
  ]
}

/** `ip=…,port=…,state=online,offset=…,lag=…` */
function keepsUp(replica: string): boolean {
  const fields = new Map(replica.split(',').map(field => field.split('=', 2) as [string, string]))
  return fields.get('state') === 'online' && Number(fields.get('lag')) <= MAX_LAG_S
}

async function readSettings(link: RedisLink): Promise<StoreWarning[]> {
  const read = async (name: string): Promise<string | undefined> => {
    const [, value] = (await link.call('CONFIG', ['GET', name])) as [string?, string?]
    return value
  }
  try {
    const [appendonly, appendfsync, policy, pausing] = await Promise.all([
      read('appendonly'),
      read('appendfsync'),
      read('maxmemory-policy'),
      read('no-appendfsync-on-rewrite'),
    ])
    if (appendonly === undefined || appendfsync === undefined || policy === undefined)
      return [{ code: 'unchecked', params: { detail: 'CONFIG GET : ∅' } }]
    const isPausing = pausing === 'yes'
    return [...appendWarnings(appendonly, appendfsync, isPausing), ...evictionWarnings(policy)]
  } catch (error) {
    if (!(error instanceof RedisRefusal)) throw error
    return [{ code: 'unchecked', params: { detail: error.message } }]
  }
}

/** `isPausing`: nothing is synchronised while the file is written anew. */
function appendWarnings(
  appendonly: string,
  appendfsync: string,
  isPausing: boolean,
): StoreWarning[] {
  if (appendonly !== 'yes') return [{ code: 'appendonly-off' }]
  if (appendfsync === 'always' && !isPausing) return []
  const policy = appendfsync === 'always' ? 'no-appendfsync-on-rewrite' : appendfsync
  return [{ code: 'appendfsync-weak', params: { policy } }]
}

// `volatile-*` throws away only what ends by itself: permits.
function evictionWarnings(policy: string): StoreWarning[] {
  return policy.startsWith('allkeys') ? [{ code: 'evicting', params: { policy } }] : []
}
