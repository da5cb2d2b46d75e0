/** A process that hangs is found in its time; where time itself stood still, nobody is blamed. */
import t, { type Test } from 'tap'
import { Heartbeat, type Pulse } from '../../src/supervision/heartbeat.ts'

const TIMEOUT_MS = 5_000
const TURN_MS = 1_000

/** A heartbeat whose turns are made by hand. */
function aHeartbeat(t: Test) {
  let now = 0
  const heartbeat = new Heartbeat(() => now)
  heartbeat.start(TIMEOUT_MS)
  t.teardown(() => heartbeat.stop())
  const turn = (ms = TURN_MS): void => {
    now += ms
    heartbeat.turn()
  }
  return { heartbeat, turn }
}

class Patient implements Pulse {
  asked = 0
  silent = 0
  answers: boolean
  readonly #heartbeat: Heartbeat

  constructor(heartbeat: Heartbeat, answers = true) {
    this.#heartbeat = heartbeat
    this.answers = answers
    heartbeat.watch(this)
  }

  ask(): void {
    this.asked += 1
    if (this.answers) this.#heartbeat.beat(this)
  }

  onSilent(): void {
    this.silent += 1
  }
}

t.test('who answers is asked at each turn, and is never silent', async t => {
  const { heartbeat, turn } = aHeartbeat(t)
  const patient = new Patient(heartbeat)
  for (let i = 0; i < 20; i++) turn()
  t.match(patient, { asked: 20, silent: 0 })
})

t.test('who stops answering is silent once its time is up, once, and is asked no more', async t => {
  const { heartbeat, turn } = aHeartbeat(t)
  const [hanging, other] = [new Patient(heartbeat), new Patient(heartbeat)]
  turn()
  hanging.answers = false
  for (let i = 0; i < 5; i++) turn()
  t.equal(hanging.silent, 0, 'not before')
  turn()
  t.equal(hanging.silent, 1)
  for (let i = 0; i < 20; i++) turn()
  t.match(hanging, { asked: 2, silent: 1 }, 'no heap of questions')
  t.equal(other.silent, 0)
})

t.test('an answer at the last moment counts', async t => {
  const { heartbeat, turn } = aHeartbeat(t)
  const patient = new Patient(heartbeat)
  turn()
  patient.answers = false
  for (let i = 0; i < 5; i++) turn()
  heartbeat.beat(patient)
  for (let i = 0; i < 5; i++) turn()
  t.equal(patient.silent, 0)
})

t.test('turns that come late are forgiven: we stood still ourselves', async t => {
  const { heartbeat, turn } = aHeartbeat(t)
  const patient = new Patient(heartbeat)
  turn()
  patient.answers = false
  for (let i = 0; i < 4; i++) turn()
  turn(3_600_000)
  for (let i = 0; i < 4; i++) turn()
  t.equal(patient.silent, 0, 'it has its whole time from then on')
  turn()
  t.equal(patient.silent, 1, 'and no more than that')
})

t.test('before its first answer a process has more time', async t => {
  const { heartbeat, turn } = aHeartbeat(t)
  const starting = new Patient(heartbeat, false)
  for (let i = 0; i < 30; i++) turn()
  t.equal(starting.silent, 0)
  turn()
  t.equal(starting.silent, 1)
})

t.test('who has ended is forgotten; a time of 0 asks nobody', async t => {
  const { heartbeat, turn } = aHeartbeat(t)
  const patient = new Patient(heartbeat, false)
  turn()
  heartbeat.forget(patient)
  for (let i = 0; i < 50; i++) turn()
  t.match(patient, { asked: 1, silent: 0 })
  heartbeat.beat(patient)
  const off = new Heartbeat()
  off.start(0)
  const asked = new Patient(off)
  await new Promise(resolve => setTimeout(resolve, 30))
  t.equal(asked.asked, 0)
})
