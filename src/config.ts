/**
 * The configuration: one schema gives the validation, the type and the table of the README. A JSON file, then the
 * environment (`PREAU_PROXY_PORT` for `proxy.port`); frozen. Only this file and `cli.ts` read `process`.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { isIP } from 'node:net'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { detailOf } from './error-detail.ts'
import { PreauError } from './errors.ts'
import { lacksLength, parseCidr } from './policy/address.ts'
import { isAddress, parseAuthority, parseHost, parseHumanHost, type Host } from './policy/host.ts'
import { environmentKeys, sectionOf, withEnvironment } from './config-environment.ts'
import { limitsSchema } from './config-limits.ts'
import { listsSchema } from './config-lists.ts'
import { parentsSchema } from './config-parents.ts'
import { redisSchema, storeSchema } from './config-store.ts'
import { parseJson } from './json-text.ts'
import { faultOf, inBoth } from './schema-faults.ts'

function isPortRange(text: string): boolean {
  const [, first, last] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []
  return Number(first) >= 1 && Number(first) <= Number(last) && Number(last) <= 65_535
}

const port = z.int().min(1).max(65_535)
const listenPort = z.int().min(0).max(65_535)
const portOrRange = {
  error: inBoth(
    'un port (1 à 65535) ou un intervalle tel que "1024-65535"',
    'a port (1 to 65535) or a range such as "1024-65535"',
  ),
}
const portRange = z.union([port, z.string().refine(isPortRange, portOrRange)], portOrRange)
const address = z.string().transform((text, context): Host => {
  const host = parseHost(text)
  if (host !== undefined && isAddress(host)) return host
  context.addIssue({ code: 'custom', message: inBoth('une adresse IP', 'an IP address') })
  return z.NEVER
})
const cidr = z
  .string()
  .refine(text => parseCidr(text) !== undefined, {
    error: inBoth('un réseau tel que "10.0.0.0/8"', 'a CIDR such as "10.0.0.0/8"'),
  })
  .refine(text => !lacksLength(text), {
    error: inBoth(
      'un réseau avec sa longueur : "10.1.2.0/24"',
      'a network with its length: "10.1.2.0/24"',
    ),
  })
  // It would take loopback and this machine's own services with it.
  .refine(text => !/\/0+$/.test(text), {
    error: inBoth(
      'un réseau tel que "10.0.0.0/8", pas tout l’Internet',
      'a network such as "10.0.0.0/8", not the whole Internet',
    ),
  })
const server = z.string().refine(
  text => {
    const host = parseAuthority(text)?.host ?? parseHost(text)
    return host !== undefined && isAddress(host)
  },
  {
    error: inBoth(
      'une adresse IP, avec ou sans port : "192.0.2.53", "192.0.2.53:5353"',
      'an IP address, with a port or without: "192.0.2.53", "192.0.2.53:5353"',
    ),
  },
)
const name = z.string().refine(text => parseHumanHost(text) !== undefined, {
  error: inBoth('un nom de machine', 'a host name'),
})
/** A name would be looked up by whoever starts first after a power cut, and leads anywhere. */
const listenHost = z.string().refine(text => text === 'localhost' || isIP(text) !== 0, {
  error: inBoth(
    'une adresse IP de cette machine, "::" pour toutes, ou "localhost"',
    'an IP address of this machine, "::" for all, or "localhost"',
  ),
})

const MAX_WORKERS = 256
const workersForThisMachine = (): number => Math.min(availableParallelism(), MAX_WORKERS)

export const configSchema = z.strictObject({
  dataDir: z
    .string()
    .min(1)
    .default('data')
    .describe('folder of all that Préau keeps; relative to the configuration file'),
  store: storeSchema,
  redis: redisSchema.prefault({}),
  workers: z
    .union([z.int().min(1).max(MAX_WORKERS), z.literal('auto').transform(workersForThisMachine)], {
      error: inBoth(`de 1 à ${MAX_WORKERS}, ou "auto"`, `1 to ${MAX_WORKERS}, or "auto"`),
    })
    .default(1)
    .describe('proxy processes; "auto": one for each processor that may be used'),
  proxy: z
    .strictObject({
      host: listenHost.default('127.0.0.1').describe('address the proxy listens on'),
      port: listenPort.default(3128).describe('port of the proxy'),
      connectPorts: z.array(portRange).default([443]).describe('ports that CONNECT may reach'),
      httpPorts: z
        .array(portRange)
        .default([80, '1024-65535'])
        .describe('ports that plain HTTP may reach'),
    })
    .prefault({}),
  admin: z
    .strictObject({
      host: listenHost.default('127.0.0.1').describe('address the admin app listens on'),
      port: listenPort.default(8080).describe('port of the admin app'),
      names: z
        .array(name)
        .default([])
        .describe(
          'names that the admin app answers to, beside its addresses, the name of the machine and `localhost`; any other gets 421. None, and behind a trusted proxy: whatever the proxy serves',
        ),
      trustedProxies: z
        .array(cidr)
        .default([])
        .describe(
          'reverse proxies in front of the admin app, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed',
        ),
    })
    .prefault({}),
  dial: z
    .strictObject({
      hosts: z
        .record(name, address)
        .default({})
        .describe(
          "names with a fixed address, the city's own decision: reached even when it is private",
        ),
      allow: z
        .array(cidr)
        .default([])
        .describe('networks that are not public and may be reached all the same'),
      servers: z
        .array(server)
        .default([])
        .describe(
          'DNS servers to ask; none: those of the system. They are asked directly; `/etc/hosts` counts, other sources of names (mDNS, LDAP) do not',
        ),
    })
    .prefault({}),
  parents: parentsSchema.prefault({}),
  lists: listsSchema.prefault({}),
  limits: limitsSchema.prefault({}).describe('every bound; 0 means off'),
})

export type Config = z.infer<typeof configSchema>
export type Limits = Config['limits']
export type ListsConfig = Config['lists']

const DEFAULTS = { fr: 'valeurs par défaut', en: 'defaults' }

/**
 * Reads the configuration. `file` undefined: defaults and environment only. Throws PREAU_CONFIG_UNREADABLE or
 * PREAU_CONFIG_INVALID naming the key and what is allowed. `dataDir` comes back absolute.
 */
export function loadConfig(file: string | undefined, env: NodeJS.ProcessEnv = process.env): Config {
  const input = withEnvironment(readJson(file), env, configSchema)
  const parsed = configSchema.safeParse(input)
  if (!parsed.success) {
    const { path: key, detail } = faultOf(parsed.error, configSchema, input)
    throw new PreauError('PREAU_CONFIG_INVALID', { file: file ?? DEFAULTS, key, detail })
  }
  const config = parsed.data
  assertTwoPorts(config, file)
  const base = file === undefined ? process.cwd() : dirname(resolve(file))
  const { caFile } = config.redis
  return deepFreeze({
    ...config,
    dataDir: resolve(base, config.dataDir),
    redis: { ...config.redis, caFile: caFile === null ? null : resolve(base, caFile) },
  })
}

/** The second one to listen would blame "another Préau". */
function assertTwoPorts({ proxy, admin }: Config, file: string | undefined): void {
  if (proxy.port === 0 || proxy.port !== admin.port) return
  const all = ['::', '0.0.0.0']
  if (proxy.host !== admin.host && !all.includes(proxy.host) && !all.includes(admin.host)) return
  const detail = { fr: 'le même que proxy.port', en: 'the same as proxy.port' }
  throw new PreauError('PREAU_CONFIG_INVALID', {
    file: file ?? DEFAULTS,
    key: 'admin.port',
    detail,
  })
}

const MAX_BYTES = 4e6

/** `/dev/zero` would have no end. */
function readBounded(file: string): Uint8Array {
  const descriptor = openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(MAX_BYTES)
    let size = 0
    for (let read = -1; read !== 0 && size < MAX_BYTES; size += read)
      read = readSync(descriptor, bytes, size, MAX_BYTES - size, null)
    if (size < MAX_BYTES) return bytes.subarray(0, size)
  } finally {
    closeSync(descriptor)
  }
  throw new RangeError(`more than ${MAX_BYTES / 1e6} MB`)
}

function readJson(file: string | undefined): unknown {
  if (file === undefined) return {}
  try {
    return parseJson(readBounded(file))
  } catch (error) {
    throw new PreauError('PREAU_CONFIG_UNREADABLE', { file, detail: detailOf(error) })
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}

export interface ConfigRow {
  readonly key: string
  readonly variable: string
  readonly fallback: string
  readonly text: string
}

/** The rows of the README's table: key, environment variable, default, meaning. */
export function describeConfig(): ConfigRow[] {
  const variables = new Map(
    [...environmentKeys(configSchema)].map(({ path, variable }) => [path.join('.'), variable]),
  )
  const row = (key: string, schema: z.ZodType): ConfigRow => ({
    key,
    variable: variables.get(key) ?? '',
    fallback: JSON.stringify(schema.parse(undefined)),
    text: schema.description ?? '',
  })
  return Object.entries(configSchema.shape).flatMap(([key, schema]) => {
    const section = sectionOf(schema)
    if (section === undefined) return [row(key, schema)]
    return Object.entries(section).map(([leaf, leafSchema]) => row(`${key}.${leaf}`, leafSchema))
  })
}
