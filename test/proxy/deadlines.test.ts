/** Times that are kept and times that are missed, all heard by one timer. */
import t from 'tap'
import { Deadlines, type Due } from '../../src/proxy/deadlines.ts'
import { eventually } from '../support/proxy-world.ts'

interface Waiting extends Due {
  times: number
}

const wait = (): Waiting => ({
  seat: -1,
  dueAt: 0,
  times: 0,
  onLate() {
    this.times++
  },
})

t.test('who is late hears of it once, who came in time never', async t => {
  const deadlines = new Deadlines(80)
  const [late, inTime, patient, unbounded] = [wait(), wait(), wait(), wait()] as const
  deadlines.add(late, 40)
  deadlines.add(inTime, 40)
  deadlines.add(patient, 60_000)
  deadlines.add(unbounded, 0)
  deadlines.delete(inTime)
  await eventually(() => late.times > 0)
  await new Promise(resolve => setTimeout(resolve, 50))
  t.strictSame(
    [late, inTime, patient, unbounded].map(({ times }) => times),
    [1, 0, 0, 0],
  )
  const left: Due[] = []
  deadlines.forEach(due => left.push(due))
  t.equal(left.length, 2, 'those that still wait')
  deadlines.delete(late)
  t.equal(late.times, 1, 'one that is over may be taken off again')
})

t.test('after a rest the timer runs again for the next one', async t => {
  const deadlines = new Deadlines(80)
  for (let i = 0; i < 2; i++) {
    const late = wait()
    deadlines.add(late, 20)
    await eventually(() => late.times > 0)
    t.equal(late.times, 1)
    // Two looks with nobody waiting: it rests.
    await new Promise(resolve => setTimeout(resolve, 50))
  }
})
