/** Who asks: from the address of a PC to its room, school and profile. The most specific network wins. */
import type { Host } from './host.ts'
import { ipv4Number, ipv6Number, parseCidr } from './address.ts'
import type { PolicyDocument } from './policy-document.ts'

/** The UAI of a school, or `UNKNOWN_SITE`. */
export type SiteId = string
export type ProfileId = string
export const UNKNOWN_SITE: SiteId = 'unknown'
/** Of a PC that stands for those of all schools: the rules of no single one concern it. */
export const ANY_SCHOOL: SiteId = '*'

/** An address that no school has. */
export const NOBODY = '0.0.0.0' as Host

/** A PC of whichever school, by the strictest profile: for a question about a site alone. */
export function anyClient(networks: NetworkTable): Client {
  return { ...networks(NOBODY), site: ANY_SCHOOL }
}

/** A PC as the policy sees it. `room` is empty where the network is unknown. */
export interface Client {
  readonly ip: Host
  readonly site: SiteId
  readonly siteName: string
  readonly room: string
  readonly profile: ProfileId
}

type Place = Omit<Client, 'ip'>
export type NetworkTable = (ip: Host) => Client

interface Network {
  readonly first: bigint
  readonly last: bigint
  readonly place: Place
}

/** Compiles the networks of a policy to disjoint segments, so that one binary search names a client. */
export function compileNetworks(policy: PolicyDocument, unknownProfile: ProfileId): NetworkTable {
  const nowhere: Place = { site: UNKNOWN_SITE, siteName: '', room: '', profile: unknownProfile }
  const v4 = segmentsOf(networksOf(policy, 4), nowhere)
  const v6 = segmentsOf(networksOf(policy, 6), nowhere)
  const v4Starts = Float64Array.from(v4, segment => Number(segment.first))
  const v6Starts = v6.map(segment => segment.first)
  return ip => {
    const place = ip.includes(':')
      ? v6[lastAtMost(v6Starts, ipv6Number(ip))]?.place
      : v4[lastAtMost(v4Starts, ipv4Number(ip))]?.place
    return { ip, ...(place ?? nowhere) }
  }
}

function networksOf(policy: PolicyDocument, family: 4 | 6): Network[] {
  return policy.sites.flatMap(site =>
    site.rooms.flatMap(room =>
      room.networks.flatMap(text => {
        const range = parseCidr(text)
        if (range === undefined || range.family !== family) return []
        const place = {
          site: site.uai,
          siteName: site.name,
          room: room.name,
          profile: room.profile,
        }
        return [{ first: range.first, last: range.last, place }]
      }),
    ),
  )
}

/** Flattens nested networks: CIDRs contain each other or are disjoint, so a stack of the open ones is enough. */
function segmentsOf(networks: Network[], outside: Place): { first: bigint; place: Place }[] {
  const ordered = networks.toSorted((a, b) =>
    a.first === b.first ? compare(b.last, a.last) : compare(a.first, b.first),
  )
  const segments: { first: bigint; place: Place }[] = []
  const open: Network[] = []
  const closeBefore = (limit: bigint | undefined): void => {
    for (;;) {
      const top = open.at(-1)
      if (top === undefined || (limit !== undefined && top.last >= limit)) return
      open.pop()
      segments.push({ first: top.last + 1n, place: open.at(-1)?.place ?? outside })
    }
  }
  for (const network of ordered) {
    closeBefore(network.first)
    segments.push({ first: network.first, place: network.place })
    open.push(network)
  }
  closeBefore(undefined)
  return segments
}

const compare = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** The index of the last start that is not after `value`; -1 when all are. Equal starts: the last one, the narrowest. */
function lastAtMost<T extends bigint | number>(
  starts: { length: number; [index: number]: T },
  value: T,
): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((starts[middle] as T) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
