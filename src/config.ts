/**
 * The configuration: one schema gives the validation, the type and the table of the README. A JSON file, then the
 * environment (`PREAU_PROXY_PORT` for `proxy.port`); frozen. Only this file and `cli.ts` read `process`.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { causeOf, PreauError } from './errors.ts'
import { lacksLength, parseCidr } from './policy/address.ts'
import { isAddress, parseAuthority, parseHost, parseHumanHost, type Host } from './policy/host.ts'
import { limitsSchema } from './config-limits.ts'
import { listsSchema } from './config-lists.ts'
import { redisSchema, storeSchema } from './config-store.ts'

const port = z.int().min(1).max(65_535)
const listenPort = z.int().min(0).max(65_535)
const portRange = z.union([
  port,
  z.string().regex(/^\d{1,5}-\d{1,5}$/, 'a port, or a range such as "1024-65535"'),
])
const address = z.string().transform((text, context): Host => {
  const host = parseHost(text)
  if (host !== undefined && isAddress(host)) return host
  context.addIssue({ code: 'custom', message: 'an IP address' })
  return z.NEVER
})
const cidr = z
  .string()
  .refine(text => parseCidr(text) !== undefined, { error: 'a CIDR such as "10.0.0.0/8"' })
  .refine(text => !lacksLength(text), { error: 'a network with its length: "10.1.2.0/24"' })
  // It would take loopback and this machine's own services with it.
  .refine(text => !/\/0+$/.test(text), { error: 'a network, not the whole Internet: "10.0.0.0/8"' })
const server = z.string().refine(
  text => {
    const host = parseAuthority(text)?.host ?? parseHost(text)
    return host !== undefined && isAddress(host)
  },
  { error: 'an IP address, with a port or without: "192.0.2.53", "192.0.2.53:5353"' },
)
const name = z.string().refine(text => parseHumanHost(text) !== undefined, { error: 'a host name' })

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
      error: `1 to ${MAX_WORKERS}, or "auto"`,
    })
    .default(1)
    .describe('proxy processes; "auto": one for each processor that may be used'),
  proxy: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('address the proxy listens on'),
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
      host: z.string().min(1).default('127.0.0.1').describe('address the admin app listens on'),
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
  lists: listsSchema.prefault({}),
  limits: limitsSchema.prefault({}).describe('every bound; 0 means off'),
})

export type Config = z.infer<typeof configSchema>
export type Limits = Config['limits']
export type ListsConfig = Config['lists']

const MAX_RETENTION_DAYS = 365

/**
 * Reads the configuration. `file` undefined: defaults and environment only. Throws PREAU_CONFIG_UNREADABLE or
 * PREAU_CONFIG_INVALID naming the key and what is allowed. `dataDir` comes back absolute.
 */
export function loadConfig(file: string | undefined, env: NodeJS.ProcessEnv = process.env): Config {
  const source = file ?? '(default)'
  const parsed = configSchema.safeParse(withEnvironment(readJson(file), env))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new PreauError('PREAU_CONFIG_INVALID', { file: source, ...explainIssue(issue) })
  }
  const config = parsed.data
  for (const key of ['requestRetentionDays', 'accessLogRetentionDays'] as const) {
    const days = config.limits[key]
    if (days === 0 || days > MAX_RETENTION_DAYS) {
      const detail = `1 to ${MAX_RETENTION_DAYS} days: the charter keeps logs a year at most`
      throw new PreauError('PREAU_CONFIG_INVALID', { file: source, key: `limits.${key}`, detail })
    }
  }
  const base = file === undefined ? process.cwd() : dirname(resolve(file))
  const { caFile } = config.redis
  return deepFreeze({
    ...config,
    dataDir: resolve(base, config.dataDir),
    redis: { ...config.redis, caFile: caFile === null ? null : resolve(base, caFile) },
  })
}

function readJson(file: string | undefined): unknown {
  if (file === undefined) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new PreauError('PREAU_CONFIG_UNREADABLE', { file, detail: causeOf(error) })
  }
}

function explainIssue(issue: z.core.$ZodIssue | undefined): { key: string; detail: string } {
  if (issue === undefined) return { key: '?', detail: 'invalid' }
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const shape = path === '' ? configSchema.shape : shapeAt(issue.path)
    const allowed = shape ? Object.keys(shape).join(', ') : ''
    return {
      key: [path, issue.keys[0]].filter(Boolean).join('.'),
      detail: `unknown key; allowed: ${allowed}`,
    }
  }
  if (issue.code === 'invalid_union' && path.includes('Ports'))
    return { key: path, detail: 'a port (1 to 65535) or a range such as "1024-65535"' }
  return { key: path || '(document)', detail: issue.message }
}

function shapeAt(path: readonly PropertyKey[]): Record<string, unknown> | undefined {
  const section = configSchema.shape[path[0] as keyof typeof configSchema.shape]
  const inner: object = 'unwrap' in section ? section.unwrap() : section
  return 'shape' in inner ? (inner.shape as Record<string, unknown>) : undefined
}

/** Texts that may consist of digits. */
const TEXTS = new Set(['sentinelPassword', 'prefix'])
const LISTS = new Set(['sources', 'trustedProxies'])

/** Every key that holds one string or number, as a path, with its environment variable. */
function* environmentKeys(): Generator<{ path: [string, string?]; variable: string }> {
  for (const key of ['dataDir', 'store', 'workers'] as const)
    yield { path: [key], variable: variableOf(key) }
  for (const section of ['redis', 'proxy', 'admin', 'lists', 'limits'] as const) {
    for (const key of Object.keys(shapeAt([section]) ?? {})) {
      if (!key.endsWith('Ports') && !LISTS.has(key))
        yield { path: [section, key], variable: variableOf(section, key) }
    }
  }
}

const variableOf = (...path: string[]): string =>
  `PREAU_${path.map(part => part.replace(/([A-Z])/g, '_$1').toUpperCase()).join('_')}`

function withEnvironment(input: unknown, env: NodeJS.ProcessEnv): unknown {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input
  const result: Record<string, unknown> = { ...input }
  for (const { path, variable } of environmentKeys()) {
    const text = env[variable]
    if (text === undefined) continue
    const [first, second] = path
    const isNumber = /^\d+$/.test(text) && !TEXTS.has(second ?? first)
    const value = isNumber ? Number(text) : text
    if (second === undefined) result[first] = value
    else result[first] = { ...(result[first] as object | undefined), [second]: value }
  }
  return result
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}

/** Compiles `connectPorts` or `httpPorts` to a question. */
export function compilePorts(ports: readonly (number | string)[]): (port: number) => boolean {
  const ranges = ports.map(entry => {
    const [first = 0, last = first] = String(entry).split('-').map(Number)
    return { first, last }
  })
  return asked => ranges.some(({ first, last }) => asked >= first && asked <= last)
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
    [...environmentKeys()].map(({ path, variable }) => [path.join('.'), variable]),
  )
  const row = (key: string, schema: z.ZodType): ConfigRow => ({
    key,
    variable: variables.get(key) ?? '',
    fallback: JSON.stringify(schema.parse(undefined)),
    text: schema.description ?? '',
  })
  return Object.entries(configSchema.shape).flatMap(([key, schema]) => {
    const inner = shapeAt([key])
    if (inner === undefined) return [row(key, schema)]
    return Object.entries(inner).map(([leaf, leafSchema]) =>
      row(`${key}.${leaf}`, leafSchema as z.ZodType),
    )
  })
}
