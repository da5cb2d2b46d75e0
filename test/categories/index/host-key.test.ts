import * as fc from 'fast-check'
import t from 'tap'
import { hostKey, visitKeys } from '../../../src/categories/index/host-key.ts'
import { isAddress, suffixes, type Host } from '../../../src/policy/host.ts'

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/)
const name = fc
  .tuple(fc.array(label, { minLength: 1, maxLength: 6 }), fc.stringMatching(/^[a-z]{2,5}$/))
  .map(([labels, top]) => [...labels, top].join('.') as Host)
const bits = (x: number): number => x.toString(2).replaceAll('0', '').length
const keyText = (host: Host): string => {
  const { high, low } = hostKey(host)
  return `${high}:${low}`
}

t.test(
  'one pass gives the key of the host and of each parent domain of two labels or more',
  async () => {
    fc.assert(
      fc.property(name, host => {
        const visited: string[] = []
        visitKeys(host, (high, low) => visited.push(`${high}:${low}`))
        const naive = [...suffixes(host)].filter(domain => domain.includes('.')).map(keyText)
        return visited.join() === naive.toReversed().join()
      }),
    )
  },
)

t.test('an address has its own key only, and a single label has none', async t => {
  for (const host of ['192.0.2.7', '2001:db8::1', '::1'] as Host[]) {
    t.ok(isAddress(host))
    let count = 0
    visitKeys(host, () => count++)
    t.equal(count, 1, host)
  }
  visitKeys('localhost' as Host, () => t.fail('no key'))
})

t.test('keys of near names differ in about half of their bits, in both halves', async t => {
  let high = 0
  let low = 0
  const rounds = 20_000
  for (let i = 0; i < rounds; i++) {
    const a = { ...hostKey(`host${i}.example.com` as Host) }
    const b = hostKey(`host${i + 1}.example.com` as Host)
    high += bits((a.high ^ b.high) >>> 0)
    low += bits((a.low ^ b.low) >>> 0)
  }
  for (const sum of [high, low]) t.ok(Math.abs(sum / rounds - 16) < 0.3, `${sum / rounds} bits`)
})

t.test('neither half alone repeats more often than chance among a million names', async t => {
  const count = 1_000_000
  const halves = [new Uint32Array(count), new Uint32Array(count)] as const
  for (let i = 0; i < count; i++) {
    const { high, low } = hostKey(`w${i.toString(36)}.example${i % 97}.org` as Host)
    halves[0][i] = high
    halves[1][i] = low
  }
  const expected = count ** 2 / 2 / 2 ** 32
  for (const half of halves) {
    const repeats = count - new Set(half).size
    t.ok(repeats < expected * 2, `${repeats} repeats, ${expected.toFixed(0)} by chance`)
  }
})
