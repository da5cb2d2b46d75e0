/** What comes in floods is told in a few lines, and counted rightly. */
import tap from 'tap'
import { mock } from 'node:test'
import { PreauError } from '../src/errors.ts'
import { FaultLog } from '../src/fault-log.ts'

interface Line {
  readonly text: string
  readonly times?: Record<string, number>
  readonly seconds?: number
  readonly err?: unknown
}

function listen() {
  const lines: Line[] = []
  const error = (fields: object, text: string): void => void lines.push({ ...fields, text })
  const logger = { error, warn: error }
  return { lines, faults: new FaultLog({ logger, level: 'error', text: 'it failed' }) }
}
const MINUTE_MS = 60_000
const down = new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'down' })

tap.beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
tap.afterEach(() => mock.timers.reset())

tap.test('an outage: a line at once, one a minute with how often, one when it is over', async t => {
  const { lines, faults } = listen()
  for (let minute = 0; minute < 3; minute++) {
    for (let i = 0; i < 100; i++) faults.noteError(down)
    mock.timers.tick(MINUTE_MS)
  }
  const kind = 'PREAU_STORE_UNAVAILABLE'
  t.match(lines, [
    { text: /^it failed$/, err: down, times: { [kind]: 1 } },
    { text: /^it failed, again$/, times: { [kind]: 99 } },
    { text: /^it failed, again$/, times: { [kind]: 100 } },
    { text: /^it failed, again$/, times: { [kind]: 100 } },
  ])
  mock.timers.tick(10 * MINUTE_MS)
  t.match(lines.slice(4), [
    { text: /^it failed: it is over$/, times: { [kind]: 300 }, seconds: Number },
  ])
  t.equal(lines.length, 5, 'and nothing more')
  faults.noteError(down)
  t.match(lines.at(-1), { text: /^it failed$/, times: { [kind]: 1 } }, 'the next one begins anew')
})

tap.test('another fault is told at once in the middle of the first', async t => {
  const { lines, faults } = listen()
  for (let i = 0; i < 10; i++) faults.noteError(down)
  const bug = new TypeError('x is undefined')
  for (let i = 0; i < 5; i++) faults.noteError(bug)
  t.strictSame(
    lines.map(({ err }) => err),
    [down, bug],
  )
  faults.close()
  const times = { PREAU_STORE_UNAVAILABLE: 10, 'x is undefined': 5 }
  t.match(lines.slice(2), [{ text: /^it failed, in all$/, times }], 'none is lost at a stop')
})

tap.test('what came once is told once', async t => {
  const { lines, faults } = listen()
  faults.noteError(down)
  mock.timers.tick(10 * MINUTE_MS)
  faults.close()
  t.equal(lines.length, 1)
})

tap.test('a thousand kinds of faults take neither memory nor lines', async t => {
  const { lines, faults } = listen()
  for (let i = 0; i < 1_000; i++) faults.noteError(new Error(`${i} ${'x'.repeat(1_000)}`))
  mock.timers.tick(MINUTE_MS)
  faults.close()
  t.ok(lines.length < 30, `${lines.length} lines`)
  const times = lines.at(-1)?.times ?? {}
  t.equal(
    Object.values(times).reduce((sum, count) => sum + count),
    1_000,
  )
  t.ok(JSON.stringify(times).length < 10_000)
})
