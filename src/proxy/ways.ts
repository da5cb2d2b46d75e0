/** Which ways lead to a host: directly, or through parent proxies in their order. */
import type { ParentAddress, ParentsConfig } from '../config-parents.ts'
import { inRange, parseCidr } from '../policy/address.ts'
import { isAddress, parseHumanHost, suffixes, type Host } from '../policy/host.ts'

export interface Parent extends ParentAddress {
  /** What it is called wherever people read of it. */
  readonly name: string
}

export type Way = 'direct' | Parent

const DIRECTLY: readonly Way[] = ['direct']

/** `fixed`: names whose address the city has fixed itself, which are reached directly. */
export function compileWays(
  { proxies, routes }: Pick<ParentsConfig, 'proxies' | 'routes'>,
  fixed: Iterable<string>,
): (host: Host) => readonly Way[] {
  const own = new Set([...fixed].map(parseHumanHost))
  const parents = new Map(
    Object.entries(proxies).map(([name, address]): [string, Parent] => [
      name,
      { ...address, name },
    ]),
  )
  const compiled = routes.map(({ to, via }) => ({
    leadsTo: compileDestinations(to),
    ways: via.map((name): Way => parents.get(name) ?? 'direct'),
  }))
  return host =>
    own.has(host) ? DIRECTLY : (compiled.find(({ leadsTo }) => leadsTo(host))?.ways ?? DIRECTLY)
}

function compileDestinations(to: readonly string[]): (host: Host) => boolean {
  if (to.includes('*')) return () => true
  const ranges = to.flatMap(text => parseCidr(text) ?? [])
  const names = new Set(to.map(parseHumanHost))
  return host =>
    isAddress(host)
      ? ranges.some(range => inRange(host, range))
      : [...suffixes(host)].some(name => names.has(name))
}

/** As the agents of Node want it, credentials included: it is for them alone. */
export function urlOf({ host, port, authorization }: ParentAddress): string {
  const name = host.includes(':') ? `[${host}]` : host
  const credentials = Buffer.from(authorization?.split(' ')[1] ?? '', 'base64').toString()
  const colon = credentials.indexOf(':')
  const [user, password] = [credentials.slice(0, Math.max(colon, 0)), credentials.slice(colon + 1)]
  const before = colon === -1 ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`
  return `http://${before}${name}:${port}`
}

export const allParents = (ways: Iterable<Way>): Parent[] =>
  [...ways].filter(way => way !== 'direct')
