/** The part of the configuration that concerns the shared state: which engine, and how Redis is reached. */
import { z } from 'zod'
import type { Words } from './errors.ts'
import { inBoth } from './schema-faults.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** Where the shared state lives, read from `store`. */
export type StoreAddress = { readonly engine: 'sqlite' } | RedisAddress

export interface RedisAddress {
  readonly engine: 'redis'
  readonly mode: 'single' | 'sentinel' | 'cluster'
  readonly isTls: boolean
  /** The server, the sentinels, or some nodes of the cluster. */
  readonly endpoints: readonly Endpoint[]
  readonly username?: string
  readonly password?: string
  readonly db: number
  /** What the sentinels call the server. */
  readonly master?: string
}

const URL_PARTS =
  /^redis(?<tls>s?)(?:-(?<mode>sentinel|cluster))?:\/\/(?:(?<auth>.*)@)?(?<hosts>[^/#?@]+)(?:\/(?<db>\d{0,4}))?(?:#(?<master>[\w.-]+))?$/i
const ENDPOINT = /^(?:\[(?<ipv6>[0-9a-f:.]+)\]|(?<name>[a-z0-9_.-]+))(?::(?<port>\d{1,5}))?$/i
const MAX_ENDPOINTS = 32

/** Undefined where it names no store. */
export function parseStoreAddress(text: string): StoreAddress | undefined {
  if (text === 'sqlite') return { engine: 'sqlite' }
  const parts = URL_PARTS.exec(text)?.groups
  if (parts === undefined) return undefined
  const mode = (parts['mode']?.toLowerCase() ?? 'single') as RedisAddress['mode']
  const names = parts['hosts']?.split(',') ?? []
  const endpoints = names.map(name => parseEndpoint(name, mode === 'sentinel' ? 26_379 : 6_379))
  const auth = parseAuth(parts['auth'])
  const db = Number(parts['db'] ?? 0)
  const master = parts['master']
  const isWhole =
    auth !== undefined &&
    endpoints.length <= MAX_ENDPOINTS &&
    (mode !== 'single' || endpoints.length === 1) &&
    (mode !== 'cluster' || db === 0) &&
    (mode === 'sentinel') === (master !== undefined)
  if (!isWhole || !endpoints.every(endpoint => endpoint !== undefined)) return undefined
  return {
    engine: 'redis',
    mode,
    isTls: parts['tls'] !== '',
    endpoints,
    db,
    ...auth,
    ...(master === undefined ? {} : { master }),
  }
}

function parseEndpoint(text: string, fallbackPort: number): Endpoint | undefined {
  const parts = ENDPOINT.exec(text)?.groups
  const host = parts?.['ipv6'] ?? parts?.['name']
  const port = Number(parts?.['port'] ?? fallbackPort)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

function parseAuth(
  text: string | undefined,
): Pick<RedisAddress, 'username' | 'password'> | undefined {
  if (text === undefined) return {}
  const colon = text.indexOf(':')
  if (colon === -1) return undefined
  try {
    const username = decodeURIComponent(text.slice(0, colon))
    const password = decodeURIComponent(text.slice(colon + 1))
    return { ...(username === '' ? {} : { username }), password }
  } catch {
    return undefined
  }
}

/** The address as it may be logged and shown: without user and password, whatever it is. */
export function storeName(text: string): string {
  return text.replace(/^((?:[\w-]+:)?\/\/)?.*@/s, '$1')
}

const FORMS = [
  '"sqlite"',
  '"redis://[user:password@]host[:port][/db]"',
  '"redis-sentinel://host,host/db#master"',
  '"redis-cluster://host,host"',
].join(', ')

export const STORE_FORMS: Words = {
  fr: `${FORMS} (« rediss… » avec TLS ; les caractères spéciaux du mot de passe en %40 …)`,
  en: `${FORMS} ("rediss…" with TLS; special characters of the password as %40 …)`,
}

export const storeSchema = z
  .string()
  .refine(text => parseStoreAddress(text) !== undefined, {
    error: inBoth(STORE_FORMS.fr, STORE_FORMS.en),
  })
  .default('sqlite')
  .describe(
    '`sqlite`: embedded, in the data folder. For several machines `redis://[user:password@]host[:port][/db]`, `redis-sentinel://host,host/db#master` or `redis-cluster://host,host`; `rediss…` with TLS',
  )

/** `redis` of the configuration. */
export const redisSchema = z.strictObject({
  prefix: z
    .string()
    .regex(
      /^[\w.-]{1,64}$/,
      inBoth('lettres, chiffres, "_", ".", "-"', 'letters, digits, "_", ".", "-"'),
    )
    .default('preau')
    .describe('first part of every key, so that several may share a Redis'),
  replicas: z
    .int()
    .min(0)
    .max(16)
    .default(0)
    .describe(
      'how many replicas there are: all must have a change before it is acknowledged (`WAIT`), but one that has been away for a minute',
    ),
  commandTimeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(2_000)
    .describe('silence of Redis after which a connection is given up'),
  caFile: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'authority that signed the certificate of Redis (PEM); null: those of the system. Relative to the configuration file',
    ),
  sentinelPassword: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('password of the sentinels themselves'),
})
