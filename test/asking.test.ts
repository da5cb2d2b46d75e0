/** A question to another process is bounded in time and in number, whoever asks and whatever becomes of the answer. */
import t from 'tap'
import { Asking } from '../src/asking.ts'

const LONG_MS = 60_000

function anAsking(patienceMs: number) {
  const sent: number[] = []
  return { sent, asking: new Asking<string>(() => sent.push(1), patienceMs) }
}

t.test('many who ask at once put one question and hear the same answer', async t => {
  const { asking, sent } = anAsking(LONG_MS)
  const answers = Array.from({ length: 50 }, () => asking.ask())
  t.equal(sent.length, 1)
  asking.answer('well')
  t.strictSame(await Promise.all(answers), Array(50).fill('well'))
  const next = asking.ask()
  t.equal(sent.length, 2, 'who asks later asks anew')
  asking.answer('still well')
  t.equal(await next, 'still well')
})

t.test(
  'a process that hangs is waited for in vain, and finds one question when it wakes',
  async t => {
    const { asking, sent } = anAsking(5)
    for (let i = 0; i < 3; i++) t.equal(await asking.ask(), undefined)
    t.equal(sent.length, 1)
    asking.answer('late')
    const after = asking.ask()
    t.equal(sent.length, 2, 'it is asked again once it has answered')
    asking.answer('in time')
    t.equal(await after, 'in time', 'and the late answer is not taken for the new one')
  },
)

t.test('a process that ends keeps nobody waiting', async t => {
  const { asking } = anAsking(LONG_MS)
  const waiting = asking.ask()
  asking.giveUp()
  t.equal(await waiting, undefined)
})

t.test('answers that nobody asked for do no harm', async t => {
  const { asking } = anAsking(LONG_MS)
  asking.answer('unasked')
  asking.giveUp()
  const waiting = asking.ask()
  asking.answer('asked')
  t.equal(await waiting, 'asked')
})
