import t from 'tap'
import * as fc from 'fast-check'
import { inRange, parseCidr } from '../../src/policy/address.ts'
import { compileNetworks, UNKNOWN_SITE } from '../../src/policy/network.ts'
import { aPolicy, host } from '../support/snapshot.ts'

t.test('a PC is named by its network: room, school and profile', async t => {
  const networks = compileNetworks(aPolicy(), 'pupils')
  t.strictSame(networks(host('10.1.2.3')), {
    ip: '10.1.2.3',
    site: '0750001A',
    siteName: 'École Jean-Moulin',
    room: 'Salle 1',
    profile: 'pupils',
  })
  t.match(networks(host('10.2.0.0')), { site: '0750002B', room: 'Salle 1' })
})

t.test('the most specific network wins, and the wider one goes on after it', async t => {
  const networks = compileNetworks(aPolicy(), 'pupils')
  t.equal(networks(host('10.1.8.255')).room, 'Salle 1')
  t.equal(networks(host('10.1.9.0')).room, 'Salle des maîtres')
  t.equal(networks(host('10.1.9.255')).room, 'Salle des maîtres')
  t.equal(networks(host('10.1.10.0')).room, 'Salle 1')
})

t.test('an unknown network gets the profile it is given, and no school', async t => {
  const networks = compileNetworks(aPolicy(), 'pupils')
  for (const ip of [
    '10.3.0.0',
    '9.255.255.255',
    '8.8.8.8',
    '2001:db8::1',
    '0.0.0.0',
    '255.255.255.255',
  ]) {
    t.match(networks(host(ip)), { site: UNKNOWN_SITE, room: '', profile: 'pupils' }, ip)
  }
})

t.test('IPv6 networks are told apart from IPv4 ones', async t => {
  const room = (name: string, network: string) => ({ name, profile: 'pupils', networks: [network] })
  const policy = aPolicy({
    sites: [
      {
        uai: '0750001A',
        name: 'É',
        rooms: [room('large', 'fd00::/8'), room('narrow', 'fd00:1::/32'), room('v4', '0.0.0.0/0')],
      },
    ],
  })
  const networks = compileNetworks(policy, 'teachers')
  t.equal(networks(host('fd00:2::1')).room, 'large')
  t.equal(networks(host('fd00:1::1')).room, 'narrow')
  t.equal(networks(host('fe00::1')).room, '')
  t.equal(networks(host('1.2.3.4')).room, 'v4')
})

t.test(
  'the table agrees with a plain search for the narrowest network, whatever the networks',
  async () => {
    const cidr = fc
      .tuple(fc.nat(255), fc.nat(255), fc.integer({ min: 0, max: 32 }))
      .map(([b, c, bits]) => `10.${b % 4}.${c % 8}.0/${bits}`)
    fc.assert(
      fc.property(
        fc.uniqueArray(cidr, { minLength: 1, maxLength: 12 }),
        fc.nat(3),
        fc.nat(7),
        fc.nat(255),
        (texts, b, c, d) => {
          const ranges = texts.map((text, i) => ({
            name: `r${i}`,
            range: parseCidr(text)!,
            bits: Number(text.split('/')[1]),
          }))
          const distinct = ranges.filter(
            (r, i) =>
              ranges.findIndex(
                o => o.range.first === r.range.first && o.range.last === r.range.last,
              ) === i,
          )
          const rooms = distinct.map(({ name }) => ({
            name,
            profile: 'pupils',
            networks: [texts[Number(name.slice(1))]!],
          }))
          const networks = compileNetworks(
            aPolicy({ sites: [{ uai: '0750001A', name: 'É', rooms }] }),
            'pupils',
          )
          const ip = host(`10.${b}.${c}.${d}`)
          const expected =
            distinct
              .filter(({ range }) => inRange(ip, range))
              .toSorted((x, y) => y.bits - x.bits)[0]?.name ?? ''
          return networks(ip).room === expected
        },
      ),
      { numRuns: 1_500 },
    )
  },
)
