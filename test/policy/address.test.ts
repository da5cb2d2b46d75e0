import t from 'tap'
import * as fc from 'fast-check'
import { BlockList } from 'node:net'
import {
  createAddressJudge,
  inRange,
  ipv4Number,
  ipv6Number,
  networkOf,
  parseCidr,
} from '../../src/policy/address.ts'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { host } from '../support/snapshot.ts'

const judge = createAddressJudge([])

t.test('addresses that are not public are refused in every form', async t => {
  for (const text of [
    '0.0.0.0',
    '10.0.0.1',
    '100.64.0.1',
    '100.127.255.255',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.1',
    '192.0.2.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '::10.0.0.1',
    '64:ff9b::808:808',
    '64:ff9b:1::1',
    '2001::1',
    '2001:db8::1',
    '2002:a00:1::',
    'fc00::1',
    'fdff::1',
    'fe80::1',
    'fec0::1',
    'ff02::1',
    '::ffff:0:127.0.0.1',
    '64:ff9b:2::1',
    '4000::1',
    '5f00::1',
    'e000::1',
  ]) {
    t.equal(judge(host(text)), 'non-public', text)
  }
})

t.test('the neighbours of those ranges are public', async t => {
  for (const text of [
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.254',
    '100.128.0.1',
    '126.255.255.255',
    '128.0.0.1',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '223.255.255.255',
    '2606:4700::1111',
    '2a01:e0a::1',
  ]) {
    t.equal(judge(host(text)), 'public', text)
  }
})

t.test('dial.allow opens a network that is not public, and only that one', async t => {
  const allowing = createAddressJudge(
    [parseCidr('10.9.0.0/16'), parseCidr('::1')].flatMap(range => range ?? []),
  )
  t.equal(allowing(host('10.9.1.1')), 'permitted')
  t.equal(allowing(host('10.8.1.1')), 'non-public')
  t.equal(allowing(host('::1')), 'permitted')
  t.equal(allowing(host('127.0.0.1')), 'non-public')
})

t.test('what is no CIDR is refused', async t => {
  for (const text of [
    '',
    'x',
    '10.0.0.0/33',
    '10.0.0/8',
    '300.0.0.0/8',
    '::1/129',
    'fe80::1%lo/64',
    '::ffff:10.0.0.0/104',
    '10.0.0.0/',
  ]) {
    t.equal(parseCidr(text), undefined, JSON.stringify(text))
  }
  t.equal(
    parseCidr('10.0.0.5')?.first,
    parseCidr('10.0.0.5')?.last,
    'an address alone is a network of one',
  )
})

t.test('ranges agree with a second implementation on random addresses', async () => {
  const family = (text: string) => (text.includes(':') ? 'ipv6' : 'ipv4')
  const v4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 }))
  const v6 = fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 }))
  fc.assert(
    fc.property(
      fc.oneof(v4, v6),
      fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { minLength: 5, maxLength: 20 }),
      ([base, bits], probes) => {
        const canonical = parseHost(base)
        if (canonical === undefined || family(canonical) !== family(base)) return true
        const range = parseCidr(`${canonical}/${bits}`)
        const reference = new BlockList()
        reference.addSubnet(canonical, bits, family(canonical))
        return [canonical, ...probes].every(text => {
          const probe = parseHost(text)
          if (probe === undefined || range === undefined) return probe === undefined
          const expected =
            family(probe) === family(canonical) && reference.check(probe, family(probe))
          return inRange(probe, range) === expected
        })
      },
    ),
    { numRuns: 2_000 },
  )
})

t.test('a second judge, written another way, agrees on random addresses', async t => {
  const inner = new BlockList()
  // What the IANA registries do not call global unicast; embeddings of IPv4 are refused whole.
  for (const [base, bits] of V4_INNER) inner.addSubnet(base, bits, 'ipv4')
  const isOuterV6 = (text: string): boolean => {
    const [a = 0, b = 0] = groupsOf(text)
    if (a === 0x2001) return b >= 0x200 && b !== 0xdb8
    if (a === 0x3fff) return b >= 0x1000
    return a >> 13 === 1 && a !== 0x2002
  }
  const near = fc.constantFrom(
    0,
    1,
    0x64,
    0x100,
    0x2001,
    0x2002,
    0x3fff,
    0x5f00,
    0xfc00,
    0xfe80,
    0xff00,
  )
  const group = fc.oneof(near, fc.constantFrom(0xff9b, 0xdb8, 0x1ff, 0x200, 0xfff), fc.nat(0xffff))
  const v6 = fc
    .array(group, { minLength: 8, maxLength: 8 })
    .map(all => all.map(g => g.toString(16)).join(':'))
  const octet = fc.oneof(
    fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 224),
    fc.nat(255),
  )
  const v4 = fc.tuple(octet, octet, octet, octet).map(all => all.join('.'))
  let asked = 0
  fc.assert(
    fc.property(fc.oneof(v4, v6), text => {
      asked++
      const address = host(text)
      const isOuter = address.includes(':') ? isOuterV6(address) : !inner.check(address, 'ipv4')
      return (judge(address) === 'public') === isOuter
    }),
    { numRuns: 100_000 },
  )
  t.ok(asked >= 100_000)
})

const V4_INNER = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const

/** The eight groups of an IPv6 address. */
function groupsOf(text: string): number[] {
  const [left = '', right] = text.split('::')
  const numbers = (part: string) =>
    part === '' ? [] : part.split(':').map(g => Number.parseInt(g, 16))
  const [head, tail] = [numbers(left), numbers(right ?? '')]
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail]
}

t.test('addresses become numbers', async t => {
  t.equal(ipv4Number('255.255.255.255'), 4_294_967_295)
  t.equal(ipv4Number('10.1.2.3'), 167_838_211)
  t.equal(ipv6Number('::1'), 1n)
  t.equal(ipv6Number('2001:db8::'), 0x20010db8000000000000000000000000n)
  t.equal(ipv6Number('1:2:3:4:5:6:7:8'), 0x00010002000300040005000600070008n)
})

t.test('a network is named for any text that a record may hold', async t => {
  const named = (text: string): string => networkOf(text as Host)
  t.equal(named('2001:db8:0:1::5'), named('2001:db8:0:1:ffff::'))
  t.not(named('2001:db8:0:1::5'), named('2001:db8:0:2::5'))
  t.equal(named('::1'), '0/64')
  for (const text of ['10.0.0.1', 'https://a', ':', '1:2:3:4:5:6:7:8:9:a', '<b style="x:y">', ''])
    t.equal(named(text), text)
})
