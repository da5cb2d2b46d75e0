/** Addresses as numbers, ranges of them, and which ones are public (IANA special-purpose registries, RFC 6890). */
import IPCIDR from 'ip-cidr'
import { isIPv4 } from 'node:net'
import type { Host } from './host.ts'

/** A CIDR as the inclusive range of its family. */
export interface AddressRange {
  readonly family: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

/** Parses `a.b.c.d/n`, `::/n` or a single address; undefined when it is neither. */
export function parseCidr(text: string): AddressRange | undefined {
  const cidr = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`
  if (/%|^::ffff:/i.test(cidr) || !/\/\d{1,3}$/.test(cidr) || !IPCIDR.isValidCIDR(cidr))
    return undefined
  if (!cidr.includes(':') && !isIPv4(cidr.slice(0, cidr.indexOf('/')))) return undefined
  const range = new IPCIDR(cidr)
  return {
    family: cidr.includes(':') ? 6 : 4,
    first: range.start<bigint>({ type: 'bigInteger' }),
    last: range.end<bigint>({ type: 'bigInteger' }),
  }
}

/** `10.1.2.0` and `2001:db8::` are written for networks, and would be one PC that nobody has. */
export function lacksLength(text: string): boolean {
  return !text.includes('/') && /(?:\.0|::)$/.test(text.trim())
}

/** The number of a canonical IPv4 address, without allocating: this runs once per exchange. */
export function ipv4Number(address: string): number {
  let value = 0
  let octet = 0
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i)
    if (code === 46) {
      value = value * 256 + octet
      octet = 0
    } else octet = octet * 10 + (code - 48)
  }
  return value * 256 + octet
}

/** The number of a canonical IPv6 address as `parseHost` writes it. */
export function ipv6Number(address: string): bigint {
  const [head = '', tail] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right]
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(Number.parseInt(group, 16)), 0n)
}

const IPV6 = /^(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}$/

/**
 * What a PC cannot leave by changing its address: an IPv6 one has a whole /64 to itself (RFC 6177), an IPv4 one its
 * address. By the bits: the text of an address leaves out zeros wherever there are most, so that one network has many
 * beginnings. A record may hold any text in its place, and stands under that.
 */
export function networkOf(address: Host): string {
  return IPV6.test(address) ? `${(ipv6Number(address) >> 64n).toString(16)}/64` : address
}

export function inRange(address: Host, range: AddressRange): boolean {
  const isV6 = address.includes(':')
  if (isV6 !== (range.family === 6)) return false
  const value = isV6 ? ipv6Number(address) : BigInt(ipv4Number(address))
  return value >= range.first && value <= range.last
}

// What is not in the list is public. Embeddings of IPv4 (NAT64, 6to4, Teredo, IPv4-compatible) are refused whole, even
// around a public address: they are a way to spell an inner one (stripe/smokescreen classifies them the same way).
const isNotPublic = compileRanges(
  [
    '0.0.0.0/8',
    '10.0.0.0/8',
    '100.64.0.0/10',
    '127.0.0.0/8',
    '169.254.0.0/16',
    '172.16.0.0/12',
    '192.0.0.0/24',
    '192.0.2.0/24',
    '192.88.99.0/24',
    '192.168.0.0/16',
    '198.18.0.0/15',
    '198.51.100.0/24',
    '203.0.113.0/24',
    '224.0.0.0/4',
    '240.0.0.0/4',
    // All that is not 2000::/3: loopback, link, multicast, and every form of IPv4 inside.
    '::/3',
    '4000::/2',
    '8000::/1',
    '2001::/23',
    '2001:db8::/32',
    '2002::/16',
    '3fff::/20',
  ].map(text => {
    const range = parseCidr(text)
    if (range === undefined) throw new TypeError(`bad built-in range ${text}`)
    return range
  }),
)

/** `permitted`: not public, but the city's configuration (`dial.allow`) opens it. */
export type AddressKind = 'public' | 'permitted' | 'non-public'
export type AddressJudge = (address: Host) => AddressKind

/** Judges outward addresses; `allow` holds the CIDRs of `dial.allow`. */
export function createAddressJudge(allow: readonly AddressRange[]): AddressJudge {
  const isPermitted = compileRanges(allow)
  return address => {
    if (isPermitted(address)) return 'permitted'
    return isNotPublic(address) ? 'non-public' : 'public'
  }
}

/** Whether an address lies in one of the ranges. Its number is made once for all of them: this runs at each dial. */
function compileRanges(ranges: readonly AddressRange[]): (address: Host) => boolean {
  const v4 = ranges
    .filter(({ family }) => family === 4)
    .map(({ first, last }) => ({ first: Number(first), last: Number(last) }))
  const v6 = ranges.filter(({ family }) => family === 6)
  return address => {
    if (address.includes(':')) {
      if (v6.length === 0) return false
      const value = ipv6Number(address)
      return v6.some(({ first, last }) => value >= first && value <= last)
    }
    if (v4.length === 0) return false
    const value = ipv4Number(address)
    return v4.some(({ first, last }) => value >= first && value <= last)
  }
}
