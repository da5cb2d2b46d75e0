/** Dial times are counted from beside: the dial answers what it answered. */
import t from 'tap'
import type { Socket } from 'node:net'
import { DialTimes } from '../../src/main/dial-times.ts'
import { PreauError } from '../../src/errors.ts'
import { dialled } from '../support/dialled.ts'
import { host } from '../support/snapshot.ts'

const TARGET = { host: host('free.test'), port: 443 }

const read = (times: DialTimes): Map<string, number> =>
  new Map(
    times.samples().map(({ part, labels, value }) => [`${part} ${labels?.['le'] ?? ''}`, value]),
  )

t.test('a dial that succeeds is counted in its bucket and in all above', async t => {
  const times = new DialTimes()
  const socket = {} as Socket
  const dial = times.time((_target, onDialled) => {
    setTimeout(() => onDialled(socket, undefined), 30)
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
  const dial = times.time((_target, onDialled) => onDialled(undefined, error))
  await t.rejects(dialled(dial, TARGET), error)
  t.equal(read(times).get('count '), 0)
})

t.test('what the dial is given reaches it', async t => {
  const seen: unknown[] = []
  const onread = { buffer: Buffer.alloc(1), callback: () => true }
  const dial = new DialTimes().time((target, onDialled, given) => {
    seen.push(target, given)
    onDialled({} as Socket, undefined)
  })
  dial(TARGET, () => undefined, onread)
  t.strictSame(seen, [TARGET, onread])
})
