/** What the workers tell is added up over all of them and over their restarts, and none of them can hold up a scrape. */
import t from 'tap'
import { EventEmitter } from 'node:events'
import type { FromChild, ToChild } from '../../src/messages.ts'
import { Gathering, type Followed, type Origin } from '../../src/supervision/gathering.ts'
import type { Sample } from '../../src/metrics.ts'

const LONG_MS = 60_000
const SOON_MS = 20

/** A process at the other end of a channel, which answers when it is told to. */
class FakeProcess extends EventEmitter implements Followed {
  connected = true
  readonly heard: ToChild[] = []
  /** What it answers to each question; undefined: nothing. */
  samples: readonly Sample[] | undefined

  constructor(samples?: readonly Sample[]) {
    super()
    this.samples = samples
  }

  send(message: ToChild): void {
    this.heard.push(message)
    if (message.type === 'tell-metrics' && this.samples !== undefined)
      setImmediate(() => this.answer())
  }

  answer(samples = this.samples ?? []): void {
    this.emit('message', { type: 'metrics', samples } satisfies FromChild)
  }

  isReady(): this {
    this.emit('message', { type: 'ready', port: 1 } satisfies FromChild)
    return this
  }

  die(): void {
    this.connected = false
    this.emit('exit', null, 'SIGKILL')
  }
}

const told = (allowed: number, memory = 100): Sample[] => [
  {
    name: 'preau_exchanges_total',
    labels: { verdict: 'allow', reason: 'default' },
    value: allowed,
  },
  { name: 'preau_dial_seconds', part: 'count', value: allowed },
  { name: 'preau_dial_seconds', part: 'sum', value: allowed / 10 },
  { name: 'preau_resident_memory_bytes', value: memory },
]

/** `name{label=value}` to value. */
const read = (samples: readonly Sample[]): Record<string, number> =>
  Object.fromEntries(
    samples.map(({ name, part, labels = {}, value }) => [
      [name, part, ...Object.entries(labels).flat()].filter(Boolean).join(' '),
      value,
    ]),
  )

const ALLOWED = 'preau_exchanges_total verdict allow reason default'

const worker = (place: number, isRestart = false): Origin => ({ role: 'proxy', place, isRestart })
const admin = (isRestart = false): Origin => ({ role: 'admin', place: 1, isRestart })

function follow(
  gathering: Gathering,
  place: number,
  process: FakeProcess,
  isRestart = false,
): FakeProcess {
  gathering.follow(worker(place, isRestart), process)
  return process.isReady()
}

t.test('counters are added up, gauges keep the number of their worker', async t => {
  const gathering = new Gathering(2, LONG_MS)
  follow(gathering, 1, new FakeProcess(told(10, 111)))
  follow(gathering, 2, new FakeProcess(told(5, 222)))
  t.strictSame(read(await gathering.gather()), {
    [ALLOWED]: 15,
    'preau_dial_seconds count': 15,
    'preau_dial_seconds sum': 1.5,
    'preau_resident_memory_bytes worker 1': 111,
    'preau_resident_memory_bytes worker 2': 222,
    preau_workers: 2,
    preau_workers_up: 2,
    preau_workers_draining: 0,
    preau_workers_silent: 0,
    'preau_restarts_total role proxy': 0,
    'preau_restarts_total role admin': 0,
  })
})

t.test('a worker that dies and comes back takes nothing from what was counted', async t => {
  const gathering = new Gathering(1, LONG_MS)
  const first = follow(gathering, 1, new FakeProcess(told(10)))
  t.equal(read(await gathering.gather())[ALLOWED], 10)
  first.die()
  const between = read(await gathering.gather())
  t.match(between, { [ALLOWED]: 10, preau_workers: 1, preau_workers_up: 0 })
  t.notOk('preau_resident_memory_bytes worker 1' in between, 'who is dead has no memory')
  first.answer(told(99))
  t.equal(read(await gathering.gather())[ALLOWED], 10, 'its last word comes too late to count')
  follow(gathering, 1, new FakeProcess(told(3)), true)
  t.match(read(await gathering.gather()), {
    [ALLOWED]: 13,
    'preau_dial_seconds sum': 1.3,
    preau_workers_up: 1,
    'preau_restarts_total role proxy': 1,
  })
})

t.test('a worker that dies while it is asked holds up nobody', async t => {
  const gathering = new Gathering(2, LONG_MS)
  const dying = follow(gathering, 1, new FakeProcess())
  follow(gathering, 2, new FakeProcess(told(5)))
  const scrape = gathering.gather()
  dying.die()
  t.match(read(await scrape), { [ALLOWED]: 5, preau_workers_up: 1, preau_workers_silent: 0 })
})

t.test('a worker that hangs is told of, with what it had counted before', async t => {
  const gathering = new Gathering(2, SOON_MS)
  const hanging = follow(gathering, 1, new FakeProcess(told(10)))
  follow(gathering, 2, new FakeProcess(told(5)))
  await gathering.gather()
  hanging.samples = undefined
  const without = read(await gathering.gather())
  t.match(without, { [ALLOWED]: 15, preau_workers_up: 2, preau_workers_silent: 1 })
  t.notOk('preau_resident_memory_bytes worker 1' in without)
  await gathering.gather()
  t.equal(hanging.heard.length, 2, 'it is not asked again before it has answered')
  hanging.answer(told(12))
  hanging.samples = told(13)
  t.match(read(await gathering.gather()), { [ALLOWED]: 18, preau_workers_silent: 0 })
})

t.test('a worker that is not ready yet is not asked', async t => {
  const gathering = new Gathering(1, LONG_MS)
  const starting = new FakeProcess(told(1))
  gathering.follow(worker(1), starting)
  t.match(read(await gathering.gather()), { preau_workers: 1, preau_workers_up: 0 })
  t.strictSame(starting.heard, [])
})

t.test('the admin process asks and is answered; its restarts are counted', async t => {
  const gathering = new Gathering(1, LONG_MS)
  follow(gathering, 1, new FakeProcess(told(4)))
  const first = new FakeProcess()
  gathering.follow(admin(), first)
  first.isReady().die()
  const second = new FakeProcess()
  gathering.follow(admin(true), second)
  second.isReady()
  const heard = new Promise<ToChild>(resolve => {
    second.send = message => resolve(message)
  })
  second.emit('message', { type: 'ask-metrics' } satisfies FromChild)
  const answer = await heard
  if (answer.type !== 'gathered-metrics') throw new TypeError(answer.type)
  t.match(read(answer.samples), {
    [ALLOWED]: 4,
    preau_workers_up: 1,
    'preau_restarts_total role admin': 1,
    'preau_restarts_total role proxy': 0,
  })
})

t.test('an admin process that has gone before its answer comes is no error', async t => {
  const gathering = new Gathering(1, LONG_MS)
  const asking = new FakeProcess()
  gathering.follow(admin(), asking)
  asking.emit('message', { type: 'ask-metrics' } satisfies FromChild)
  asking.die()
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(asking.heard, [])
})

t.test('who is replaced still counts, and no longer stands in its place', async t => {
  const gathering = new Gathering(1, LONG_MS)
  const old = new FakeProcess(told(10, 111))
  const following = gathering.follow(worker(1), old)
  old.isReady()
  await gathering.gather()
  follow(gathering, 1, new FakeProcess(told(3, 222)))
  following.drains()
  old.samples = told(12, 111)
  t.strictSame(read(await gathering.gather()), {
    [ALLOWED]: 15,
    'preau_dial_seconds count': 15,
    'preau_dial_seconds sum': 1.5,
    'preau_resident_memory_bytes worker 1': 222,
    'preau_resident_memory_bytes worker draining': 111,
    preau_workers: 1,
    preau_workers_up: 1,
    preau_workers_draining: 1,
    preau_workers_silent: 0,
    'preau_restarts_total role proxy': 0,
    'preau_restarts_total role admin': 0,
  })
  old.answer(told(20))
  old.die()
  t.match(read(await gathering.gather()), {
    [ALLOWED]: 23,
    preau_workers_up: 1,
    preau_workers_draining: 0,
    'preau_restarts_total role proxy': 0,
  })
})

t.test('generations that drain at once are told together, and none of them is silent', async t => {
  const gathering = new Gathering(1, SOON_MS)
  for (const open of [2, 3]) {
    const old = new FakeProcess([{ name: 'preau_exchanges_open', value: open }])
    const following = gathering.follow(worker(1), old)
    old.isReady()
    following.drains()
  }
  const hanging = new FakeProcess()
  gathering.follow(worker(1), hanging).drains()
  hanging.isReady()
  t.match(read(await gathering.gather()), {
    'preau_exchanges_open worker draining': 5,
    preau_workers_up: 0,
    preau_workers_draining: 3,
    preau_workers_silent: 0,
  })
})

t.test('another number of workers is told as soon as it is configured', async t => {
  const gathering = new Gathering(1, LONG_MS)
  gathering.configured = 4
  t.match(read(await gathering.gather()), { preau_workers: 4, preau_workers_up: 0 })
})
