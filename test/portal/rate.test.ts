import t from 'tap'
import type { Host } from '../../src/policy/host.ts'
import { createClickRate } from '../../src/portal/rate.ts'
import { memoryPermits } from '../support/memory-permits.ts'

/** As many workers as asked for, on one store and one clock. */
function openWorkers(count: number, max = 30) {
  const clock = { now: 0 }
  const permits = memoryPermits(() => clock.now)
  const workers = Array.from({ length: count }, () =>
    createClickRate(permits, { name: 'click', max }),
  )
  const click = (worker: number, ip = '10.0.0.1') => workers[worker]!(ip as Host, clock.now)
  return { clock, permits, click }
}

t.test('four workers let one PC through as often as one does', async t => {
  const { click } = openWorkers(4)
  const answers = []
  for (let i = 0; i < 200; i++) answers.push(await click(i % 4))
  t.equal(answers.filter(Boolean).length, 30)
  t.ok(await click(0, '10.0.0.2'), 'its neighbour is served')
})

t.test(
  'a flood costs the store a bounded number of questions, however long it goes on',
  async t => {
    const { clock, permits, click } = openWorkers(4)
    for (let second = 0; second < 59; second++) {
      clock.now = second * 1_000
      await Promise.all(Array.from({ length: 400 }, (_, i) => click(i % 4)))
    }
    t.comment(`measured: ${permits.calls.take} questions for ${59 * 400} clicks on 4 workers`)
    t.ok(permits.calls.take <= 4 * 2 * 30, `${permits.calls.take}`)
    clock.now = 60_000
    t.ok(await click(2), 'and once its minute has ended it may click again')
  },
)

t.test('a PC that changes its address within its IPv6 network stays the same PC', async t => {
  const { click } = openWorkers(2)
  const answers = []
  for (let i = 1; i <= 200; i++) answers.push(await click(i % 2, `2001:db8:1:2::${i.toString(16)}`))
  t.equal(answers.filter(Boolean).length, 30)
  t.ok(await click(0, '2001:db8:1:3::1'), 'another network is another PC')
})

t.test('a clock that is set back keeps nobody out for longer', async t => {
  const permits = memoryPermits(() => monotonic)
  const isWithin = createClickRate(permits, { name: 'click', max: 1 })
  let monotonic = 0
  const ip = '10.0.0.1' as Host
  const hour = 3_600_000
  t.ok(await isWithin(ip, hour))
  t.notOk(await isWithin(ip, hour))
  monotonic = 60_000
  t.ok(await isWithin(ip, 0), 'the store, whose clock nobody sets, says that the minute is over')
})

t.test('0 is no bound and no question', async t => {
  const { permits, click } = openWorkers(1, 0)
  for (let i = 0; i < 100; i++) t.ok(await click(0))
  t.equal(permits.calls.take, 0)
})

t.test('a store that is down is no permission', async t => {
  const down = () => Promise.reject(new Error('down'))
  const permits = { take: down, giveBack: down, clear: down }
  const click = createClickRate(permits, { name: 'click', max: 3 })
  for (let i = 0; i < 10; i++) await t.rejects(click('10.0.0.1' as Host, 0), { message: 'down' })
})
