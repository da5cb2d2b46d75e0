import t from 'tap'
import { Shares, type Sharer } from '../../src/proxy/shares.ts'
import { host } from '../support/snapshot.ts'

const pc = (ip: string, site: string): Sharer => ({ ip: host(ip), site })
const hundred = (schools: number, perPc = 0) =>
  new Shares({ all: 100, perPc, schools: () => schools })

/** Takes by PC after PC of a school, one each, until it is refused; how many it got, and why no more. */
function takeAll(shares: Shares, school: string): [number, string | undefined] {
  for (let i = 0; ; i++) {
    const refusal = shares.take(pc(`10.${school.length}.${i >> 8}.${i & 255}`, school))
    if (refusal !== undefined) return [i, refusal]
  }
}

t.test('a school with all the addresses it likes leaves half to the others', async t => {
  const shares = hundred(2)
  t.strictSame(takeAll(shares, 'greedy'), [50, 'school'])
  t.equal(shares.take(pc('192.0.2.1', 'other')), undefined)
})

t.test('a city of one school shares with nobody', async t => {
  t.strictSame(takeAll(hundred(1), 'only'), [100, 'all'])
})

t.test('the last places are for PCs that hold none', async t => {
  const shares = hundred(1)
  const greedy = pc('192.0.2.1', 'a')
  let held = 0
  while (shares.take(greedy) === undefined) held++
  t.equal(held, 90)
  t.equal(shares.take(pc('192.0.2.2', 'a')), undefined, 'a PC that comes now gets one')
})

t.test('a PC of IPv6 is its /64, whatever address it takes', async t => {
  const shares = hundred(2, 3)
  for (let i = 1; i <= 3; i++) t.equal(shares.take(pc(`2001:db8:0:1::${i}`, 'a')), undefined)
  t.equal(shares.take(pc('2001:db8:0:1:ffff::9', 'a')), 'pc')
  t.equal(shares.take(pc('2001:db8:0:2::1', 'a')), undefined)
})

t.test('what is given back may be taken again, and nothing is remembered of who left', async t => {
  const shares = hundred(2, 1)
  for (let i = 0; i < 300; i++) {
    const one = pc(`10.0.${i >> 8}.${i & 255}`, 'a')
    t.equal(shares.take(one), undefined)
    shares.release(one)
  }
  t.equal(shares.held, 0)
})

t.test('a bound of 0 is none', async t => {
  const shares = new Shares({ all: 0, perPc: 0, schools: () => 2 })
  for (let i = 0; i < 1_000; i++) t.equal(shares.take(pc('192.0.2.1', 'a')), undefined)
})
