/** How a download reaches its source: which addresses it may meet, and through which proxy. */
import * as http from 'node:http'
import * as https from 'node:https'
import type { LookupFunction } from 'node:net'
import project from '../../package.json' with { type: 'json' }
import type { Config } from '../config.ts'
import type { ParentsConfig } from '../config-parents.ts'
import { createAddressJudge, parseCidr, type AddressJudge } from '../policy/address.ts'
import { isAddress, parseHost, parseHumanHost, type Host } from '../policy/host.ts'
import { compileWays, urlOf } from '../proxy/ways.ts'
import { createResolver, isWaiting } from '../proxy/resolver.ts'
import { saysWhy } from './download-failure.ts'

export interface OutwardOptions {
  /** null: the first of the ways of browsing. */
  readonly parentProxy: string | null
  readonly parents: Pick<ParentsConfig, 'proxies' | 'routes'>
  readonly dial: Config['dial']
  /** Size of the head of an answer; 0: no bound that anybody meets. */
  readonly maxHeaderBytes: number
}

/** Asks for one URL; the caller ends the request. */
export type Ask = (
  url: URL,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => http.ClientRequest

const UNBOUNDED_BYTES = 1_048_576
const MAX_NAMES = 100
const NAME_TTL_MS = 30_000
const NAME_TIMEOUT_MS = 10_000

/**
 * The source that a person has named may be an inner mirror; where it redirects to may not be, or a hostile source would
 * make Préau knock at the city's own machines (CWE-918). Behind a parent proxy names are that proxy's to resolve.
 */
export function createOutward(
  first: URL,
  { parentProxy, parents, dial, maxHeaderBytes }: OutwardOptions,
): Ask {
  const waysTo = compileWays(parents, Object.keys(dial.hosts))
  const agentsFor = openAgents()
  const judge = createAddressJudge(dial.allow.flatMap(text => parseCidr(text) ?? []))
  const resolve = createFixedResolver(dial)
  const open = createLookup(resolve, undefined)
  const judged = createLookup(resolve, judge)
  return (url, headers, signal) => {
    const isChosen = url.hostname === first.hostname
    const host = parseHost(url.hostname)
    const [way = 'direct'] = host === undefined ? [] : waysTo(host)
    const proxy = parentProxy ?? (way === 'direct' ? null : urlOf(way))
    const agents = agentsFor(proxy)
    if (!isChosen && host !== undefined && isAddress(host) && judge(host) === 'non-public')
      throw saysWhy('inner', { host })
    return (url.protocol === 'https:' ? https : http).request(url, {
      agent: url.protocol === 'https:' ? agents.https : agents.http,
      headers: {
        ...headers,
        accept: '*/*',
        'accept-encoding': 'identity',
        'user-agent': `Preau/${project.version}`,
      },
      maxHeaderSize: maxHeaderBytes || UNBOUNDED_BYTES,
      lookup: isChosen || proxy !== null ? open : judged,
      signal,
    })
  }
}

/** Those of each proxy are made once: redirects of a download may lead through another one. */
function openAgents(): (proxy: string | null) => ReturnType<typeof createAgents> {
  const made = new Map<string | null, ReturnType<typeof createAgents>>()
  return proxy => {
    const agents = made.get(proxy) ?? createAgents(proxy)
    made.set(proxy, agents)
    return agents
  }
}

function createAgents(parentProxy: string | null) {
  const through =
    parentProxy === null ? {} : { proxyEnv: { HTTP_PROXY: parentProxy, HTTPS_PROXY: parentProxy } }
  const options = { keepAlive: false, ...through }
  return { http: new http.Agent(options), https: new https.Agent(options) }
}

interface Answer {
  readonly addresses: readonly Host[]
  /** The city has fixed it itself (`dial.hosts`). */
  readonly isFixed: boolean
}
type FixedResolve = (name: string) => Promise<Answer>

function createFixedResolver({ hosts, servers }: Config['dial']): FixedResolve {
  const resolver = createResolver({
    servers,
    maxEntries: MAX_NAMES,
    ttlMs: NAME_TTL_MS,
    timeoutMs: NAME_TIMEOUT_MS,
  })
  const resolve = (host: Host): Promise<readonly Host[]> =>
    new Promise((found, failed) => {
      const known = resolver.resolve(host, undefined, (addresses, error) =>
        addresses === undefined ? failed(error) : found(addresses),
      )
      if (!isWaiting(known)) found(known)
    })
  const fixed = new Map(Object.entries(hosts).map(([name, ip]) => [parseHumanHost(name), ip]))
  return async name => {
    const host = parseHost(name)
    if (host === undefined) throw saysWhy('badRedirect', {})
    const address = fixed.get(host)
    return address === undefined
      ? { addresses: await resolve(host), isFixed: false }
      : { addresses: [address], isFixed: true }
  }
}

/** What Node asks before it connects: the address that was judged is the one that is reached. */
function createLookup(resolve: FixedResolve, judge: AddressJudge | undefined): LookupFunction {
  return (name, { all }, onFound) => {
    const answer = async (): Promise<readonly Host[]> => {
      const { addresses, isFixed } = await resolve(name)
      if (judge === undefined || isFixed) return addresses
      const permitted = addresses.filter(address => judge(address) !== 'non-public')
      if (permitted.length === 0) throw saysWhy('inner', { host: name })
      return permitted
    }
    answer().then(
      addresses => {
        const found = addresses.map(address => ({ address, family: familyOf(address) }))
        if (all) onFound(null, found)
        else onFound(null, found[0]?.address ?? '', found[0]?.family)
      },
      (error: unknown) => onFound(error as NodeJS.ErrnoException, ''),
    )
  }
}

const familyOf = (address: Host): 4 | 6 => (address.includes(':') ? 6 : 4)
