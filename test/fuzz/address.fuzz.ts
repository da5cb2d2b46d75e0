/** Which addresses are inner ones, beside Node's own matcher: no spelling of an inner address is taken for a public one. */
import { BlockList, isIPv4 } from 'node:net'
import { createAddressJudge, inRange, parseCidr } from '../../src/policy/address.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { compileNetworks } from '../../src/policy/network.ts'
import { aPolicy } from '../support/snapshot.ts'
import { measureSelf } from './engine/measure.ts'
import { createRandom, seedOf, type Random } from './engine/random.ts'
import { promise, type FuzzTarget } from './engine/target.ts'

// Written a second time from the IANA registries, so that a slip in the product's table shows.
const INNER: readonly string[] =
  `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 ::/96 64:ff9b::/96 64:ff9b:1::/48
100::/64 2001::/23 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8`.split(
    /\s+/,
  )

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    list.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6')
  }
  return list
}

const inner = blockList(INNER)
const judge = createAddressJudge([])
const networks = compileNetworks(aPolicy(), 'pupils')

/** Near the edges of the ranges, where mistakes are, and anywhere. */
function make(random: Random): Buffer {
  const isV6 = random.oneIn(2)
  const size = isV6 ? 16 : 4
  const edge = random.pick(INNER.filter(range => range.includes(':') === isV6))
  const range = parseCidr(edge)
  if (range === undefined) throw new TypeError(edge)
  const near = BigInt(random.below(5)) - 2n
  const value = random.oneIn(2) ? range.first + near : range.last + near
  const any = Buffer.from(Array.from({ length: size }, () => random.below(256)))
  if (random.oneIn(3)) return any
  const clipped = BigInt.asUintN(size * 8, value)
  return Buffer.from(clipped.toString(16).padStart(size * 2, '0'), 'hex')
}

/** One of the ways to write it. */
function spell(bytes: Buffer, random: Random): string {
  if (bytes.length <= 4) return [...bytes].join('.')
  const groups = bytes.toString('hex').match(/.{4}/g) ?? []
  const written = random.oneIn(2) ? groups : groups.map(group => group.replace(/^0{1,3}/, ''))
  const text = written.join(':')
  return random.oneIn(2) ? text.toUpperCase() : text.replace(/(?:^|:)0(?::0)+(?::|$)/, '::')
}

function check(bytes: Buffer): void {
  const random = createRandom(seedOf(bytes))
  const text = spell(bytes, random)
  const host = parseHost(text)
  if (host === undefined) {
    promise(bytes.length !== 4 && bytes.length !== 16, `a whole address is read: ${text}`)
    return
  }
  const family = isIPv4(host) ? 'ipv4' : 'ipv6'
  const isInner = judge(host) === 'non-public'
  // Of IPv6, 2000::/3 alone has been given out (the list of Node would take ::/3 for all of IPv4 as well).
  const isUngiven = family === 'ipv6' && !/^[23][0-9a-f]{3}:/.test(host)
  promise(
    isInner === (isUngiven || inner.check(host, family)),
    `${text} -> ${host}: ${judge(host)}`,
  )
  promise(networks(host).ip === host, 'a client is named')
  const cidr = `${host}/${random.below(family === 'ipv4' ? 33 : 129)}`
  const range = parseCidr(cidr)
  if (range === undefined) return
  promise(inRange(host, range), `${host} is in ${cidr}`)
  const other = parseHost(random.pick(['8.8.8.8', '127.0.0.1', '2a00::1', '::1'])) as Host
  const otherFamily = isIPv4(other) ? 'ipv4' : 'ipv6'
  if (otherFamily === family)
    promise(
      inRange(other, range) === blockList([cidr]).check(other, family),
      `${other} in ${cidr}: ${inRange(other, range)}`,
    )
}

export const address: FuzzTarget = {
  name: 'address',
  bounded: 5_000,
  open: async () => ({
    batch: 1_000,
    make,
    attempt: async inputs => inputs.forEach(check),
    measure: measureSelf,
  }),
}
