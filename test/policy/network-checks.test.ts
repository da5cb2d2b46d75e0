import t from 'tap'
import { PreauError } from '../../src/errors.ts'
import { assertNetworks, doubtKey, networkDoubts } from '../../src/policy/network-checks.ts'
import { aPolicy } from '../support/snapshot.ts'

/** A school per row of networks, one room each. */
function aCity(...schools: readonly (readonly string[])[]) {
  return aPolicy({
    sites: schools.map((networks, i) => ({
      uai: `000000${i}A`,
      name: `École ${i}`,
      rooms: networks.map((network, room) => ({
        name: `Salle ${room}`,
        profile: 'pupils',
        networks: [network],
      })),
    })),
  })
}

function refusalOf(...schools: readonly (readonly string[])[]): string {
  try {
    assertNetworks(aCity(...schools))
    return ''
  } catch (error) {
    return error instanceof PreauError ? error.text('fr') : String(error)
  }
}

t.test('a network without its length is refused, with what to write', async t => {
  t.match(refusalOf(['10.1.2.0']), 'écrivez 10.1.2.0/24 pour le réseau, ou 10.1.2.0/32')
  t.match(refusalOf(['10.1.2.0']), 'sites.0000000A.rooms.Salle 0.networks')
  t.match(refusalOf(['10.1.0.0']), '10.1.0.0/16')
  t.match(refusalOf(['10.0.0.0']), '10.0.0.0/8')
  t.match(refusalOf(['2001:db8:1::']), 'écrivez 2001:db8:1::/64 pour le réseau')
  for (const meant of ['10.1.2.0/24', '10.1.2.0/32', '10.1.2.7', '10.1.2.10', '2001:db8::7'])
    t.equal(refusalOf([meant]), '', meant)
})

t.test('one network in two spellings is refused: who comes first would decide', async t => {
  t.match(refusalOf(['10.1.2.0/24'], ['10.1.2.1/24']), 'est déjà le réseau 10.1.2.0/24 de Salle 0')
  t.match(refusalOf(['10.1.2.7'], ['10.1.2.7/32']), 'est déjà le réseau')
  t.match(refusalOf(['2001:db8::/64', '2001:0db8::/64']), 'est déjà le réseau')
  t.equal(refusalOf(['10.1.2.0/24'], ['10.1.3.0/24'], ['10.1.0.0/16']), '')
})

t.test(
  'a network inside that of another school is a doubt, inside its own school it is not',
  async t => {
    const doubts = networkDoubts(
      aCity(['10.0.0.0/8', '10.1.0.0/16'], ['10.1.2.0/24', '11.0.0.0/8']),
    )
    t.match(doubts, [
      {
        kind: 'inside',
        of: { network: '10.1.2.0/24', site: 'École 1' },
        around: { network: '10.1.0.0/16', site: 'École 0' },
      },
    ])
    t.equal(doubts.length, 1)
    t.same(networkDoubts(aCity(['10.0.0.0/9'], ['10.128.0.0/9'], ['2001:db8::/32'])), [])
    t.match(networkDoubts(aCity(['2001:db8::/32'], ['2001:db8:1::/48'])), [{ kind: 'inside' }])
  },
)

t.test('one PC, and a network written by the address of a machine, are told', async t => {
  t.match(networkDoubts(aCity(['10.1.2.7', '10.1.3.1/24', '10.1.4.0/24', '10.1.5.9/32'])), [
    { kind: 'single', of: { network: '10.1.2.7' } },
    { kind: 'host-bits', of: { network: '10.1.3.1/24' } },
  ])
})

t.test('a doubt is the same one as long as its places are', async t => {
  const keys = (...schools: readonly (readonly string[])[]) =>
    networkDoubts(aCity(...schools)).map(doubtKey)
  t.same(keys(['10.0.0.0/8'], ['10.1.0.0/16']), keys(['10.0.0.0/8'], ['10.1.0.0/16', '12.0.0.0/8']))
  t.notSame(keys(['10.0.0.0/8'], ['10.1.0.0/16']), keys(['10.0.0.0/8'], ['10.2.0.0/16']))
})

t.test('five thousand schools are looked through at once', async t => {
  const schools = Array.from({ length: 5_000 }, (_, i) => [
    `10.${i >> 8}.${i & 255}.0/24`,
    `10.${i >> 8}.${i & 255}.64/26`,
  ])
  const start = process.cpuUsage()
  t.same(networkDoubts(aCity(...schools)), [])
  t.ok(process.cpuUsage(start).user < 5_000_000)
})
