/** Dial times are counted from beside: the dial answers what it answered. */
import t from 'tap'
import type { Socket } from 'node:net'
import { DialTimes } from '../../src/main/dial-times.ts'
import { PreauError } from '../../src/errors.ts'
import { A_PC, dialled } from '../support/dialled.ts'
import { host } from '../support/snapshot.ts'

const WAITING = { abandon: () => undefined }
const TARGET = { host: host('free.test'), port: 443 }

const read = (times: DialTimes): Map<string, number> =>
  new Map(
    times.samples().map(({ part, labels, value }) => [`${part} ${labels?.['le'] ?? ''}`, value]),
  )

t.test('a dial that succeeds is counted in its bucket and in all above', async t => {
  const times = new DialTimes()
  const socket = {} as Socket
  const dial = times.time((_target, _client, onDialled) => {
    setTimeout(() => onDialled(socket, undefined), 30)
    return WAITING
  })
  t.equal(await dialled(dial, TARGET), socket)
  const samples = read(times)
  t.equal(samples.get('count '), 1)
  t.equal(samples.get('bucket +Inf'), 1)
  t.equal(samples.get('bucket 0.025'), 0, 'it took longer than that')
  t.ok((samples.get('sum ') ?? 0) > 0.025)
  const buckets = times.samples().filter(({ part }) => part === 'bucket')
  const values = buckets.map(({ value }) => value)
  t.strictSame(
    values,
    values.toSorted((a, b) => a - b),
    'each bucket holds those below it too',
  )
})

t.test('a dial that fails is not timed, and fails as it would', async t => {
  const times = new DialTimes()
  const error = new PreauError('PREAU_UNREACHABLE', { host: TARGET.host })
  const dial = times.time((_target, _client, onDialled) => {
    onDialled(undefined, error)
    return WAITING
  })
  await t.rejects(dialled(dial, TARGET), error)
  t.equal(read(times).get('count '), 0)
})

t.test('what the dial is given reaches it', async t => {
  const seen: unknown[] = []
  const onread = { buffer: Buffer.alloc(1), callback: () => true }
  const dial = new DialTimes().time((target, client, onDialled, given) => {
    seen.push(target, client, given)
    onDialled({} as Socket, undefined)
    return WAITING
  })
  t.equal(
    dial(TARGET, A_PC, () => undefined, onread),
    WAITING,
    'and can be abandoned',
  )
  t.strictSame(seen, [TARGET, A_PC, onread])
})
