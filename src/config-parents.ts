/** The part of the configuration that says which way leads to the web, where it is not the direct one: parent proxies. */
import { z } from 'zod'
import { parseCidr } from './policy/address.ts'
import { parseHost, parseHumanHost, type Host } from './policy/host.ts'
import { inBoth } from './schema-faults.ts'

// Node waits one millisecond in place of anything longer.
const MAX_TIMEOUT_MS = 2 ** 31 - 1
const DIRECT = 'direct'
const NAME = /^(?!direct$)[a-z0-9][a-z0-9._-]{0,39}$/
const WHAT = {
  fr: 'http://[utilisateur:mot de passe@]hôte:port',
  en: 'http://[user:password@]host:port',
}
/** What was written there may hold a password. */
const SECRET = { isSecret: true }

/** A parent as it is reached. Nothing of it is ever told but the name it stands under. */
export interface ParentAddress {
  readonly host: Host
  readonly port: number
  /** The value of `Proxy-Authorization` (RFC 7617); null: it asks for none. */
  readonly authorization: string | null
}

const parentSchema = z
  .string()
  .max(2_000)
  .transform((text, context): ParentAddress => {
    const parsed = parseParent(text)
    if (parsed !== undefined) return parsed
    context.addIssue({ code: 'custom', message: inBoth(WHAT.fr, WHAT.en), params: SECRET })
    return z.NEVER
  })

export function parseParent(text: string): ParentAddress | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text)
  const host = parseHost(hostname)
  if (protocol !== 'http:' || host === undefined || `${pathname}${search}${hash}` !== '/')
    return undefined
  const credentials = decoded(`${username}:${password}`)
  if (credentials === undefined) return undefined
  const authorization =
    credentials === ':' ? null : `Basic ${Buffer.from(credentials).toString('base64')}`
  return { host, port: port === '' ? 80 : Number(port), authorization }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const parentName = z
  .string()
  .regex(
    NAME,
    inBoth(
      'minuscules, chiffres, ".", "_", "-", et pas "direct"',
      'small letters, digits, ".", "_", "-", and not "direct"',
    ),
  )

const destination = z
  .string()
  .max(253)
  .refine(
    text => text === '*' || parseCidr(text) !== undefined || parseHumanHost(text) !== undefined,
    {
      error: inBoth(
        'un site (avec ses sous-domaines), un réseau tel que "10.0.0.0/8", ou "*"',
        'a host (its sub-domains too), a network such as "10.0.0.0/8", or "*"',
      ),
    },
  )

const routeSchema = z.strictObject({
  to: z.array(destination).min(1).max(1_000),
  via: z.array(z.string().max(40)).min(1).max(8),
})

/** `parents` of the configuration. */
export const parentsSchema = z
  .strictObject({
    proxies: z
      .record(parentName, parentSchema)
      .default({})
      .describe(`parent proxies by name, each \`${WHAT.en}\`; the credentials are never told`),
    routes: z
      .array(routeSchema)
      .max(200)
      .default([])
      .describe(
        'which way leads where; the first that fits decides, none: directly. `to`: hosts (with their sub-domains), networks or `*`; `via`: names of `parents.proxies` in order, `direct` among them only where it may be used',
      ),
    retryAfterMs: z
      .int()
      .min(100)
      .max(MAX_TIMEOUT_MS)
      .default(10_000)
      .describe('how long a parent that fails is left out before it is tried again'),
  })
  .superRefine(({ proxies, routes }, context) => {
    const fail = (path: (string | number)[], fr: string, en: string): void =>
      context.addIssue({ code: 'custom', path, message: inBoth(fr, en), params: SECRET })
    const names = Object.keys(proxies)
    for (const [at, { via }] of routes.entries())
      for (const way of via)
        if (way !== DIRECT && !names.includes(way))
          fail(
            ['routes', at, 'via'],
            `"direct", ou un nom de parents.proxies : ${names.join(', ')}`,
            `"direct", or a name of parents.proxies: ${names.join(', ')}`,
          )
    const used = new Set(routes.flatMap(({ via }) => via))
    const idle = names.find(name => !used.has(name))
    if (idle !== undefined)
      fail(
        ['proxies', idle],
        'aucun chemin de parents.routes ne l’utilise',
        'no route of parents.routes uses it',
      )
    const addresses = Object.values(proxies).map(({ host, port }) => `${host}:${port}`)
    if (new Set(addresses).size !== addresses.length)
      fail(['proxies'], 'chaque adresse une seule fois', 'each address once')
  })

export type ParentsConfig = z.infer<typeof parentsSchema>
