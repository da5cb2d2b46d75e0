/** Who has served comes back at once; who dies at its start comes back ever later, but never too late. */
import t from 'tap'
import { BackOff } from '../../src/supervision/back-off.ts'

t.test('a process that had served comes back at once, however often it is killed', async t => {
  const backOff = new BackOff()
  for (let i = 0; i < 200; i++) t.equal(backOff.after(3_000), 0)
})

t.test('a crash loop is tried ever less often, within ten seconds at the latest', async t => {
  const backOff = new BackOff()
  const delays = Array.from({ length: 10 }, () => backOff.after(0))
  t.strictSame(delays, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000])
})

t.test('one good life forgives a bad past', async t => {
  const backOff = new BackOff()
  for (let i = 0; i < 10; i++) backOff.after(100)
  t.equal(backOff.after(60_000), 0)
  t.equal(backOff.after(0), 100)
})
