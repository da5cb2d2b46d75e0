import t from 'tap'
import { setImmediate as later } from 'node:timers/promises'
import { Turns } from '../../src/portal/turns.ts'

t.test('work of one key never overlaps and keeps its order, other keys go on', async t => {
  const turns = new Turns()
  const told: string[] = []
  const piece = (key: string, name: string) =>
    turns.take(key, async () => {
      told.push(`${name} begins`)
      await later()
      told.push(`${name} ends`)
      return name
    })
  const answers = await Promise.all([piece('a', 'one'), piece('a', 'two'), piece('b', 'other')])
  t.strictSame(answers, ['one', 'two', 'other'])
  const ofA = told.filter(line => !line.startsWith('other'))
  t.strictSame(ofA, ['one begins', 'one ends', 'two begins', 'two ends'])
  t.ok(told.indexOf('other begins') < told.indexOf('two begins'))
})

t.test('work that fails tells whoever asked for it, and lets the next one run', async t => {
  const turns = new Turns()
  const failing = turns.take('a', () => Promise.reject(new Error('no')))
  const next = turns.take('a', async () => 'yes')
  await t.rejects(failing, { message: 'no' })
  t.equal(await next, 'yes')
  t.equal(await turns.take('a', async () => 'again'), 'again')
})
