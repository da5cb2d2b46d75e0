/**
 * A command is never sent twice: whatever becomes of it on its way, Redis executes it at most once, whoever asked is told
 * what is known, and the next one works. (A commit that is done twice stands twice in the audit, a click counts twice.)
 */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import type { Store } from '../../src/store/store.ts'
import { note } from '../contract/store.ts'
import type { RedisServer } from '../support/redis.ts'
import { openRelay, type Fault } from './redis-relay.ts'
import { eventually, latest, redisWorld, TIMEOUT_MS, unavailable } from './redis-world.ts'

interface Act {
  readonly run: (store: Store, mark: string) => Promise<unknown>
  /** How often it was done. */
  readonly done: (server: RedisServer, mark: string) => number
}

const ACTS: Readonly<Record<string, Act>> = {
  'a commit': {
    run: (store, mark) => store.commit(note(mark), [latest(mark)]),
    done: (server, mark) => server.cli('xrange', '{preau}:audit', '-', '+').split(mark).length - 1,
  },
  'a click that is counted': {
    run: (store, mark) => store.permits.take(mark, { max: 9, windowMs: 600_000 }),
    done: (server, mark) => Number(server.cli('get', `{preau}:permit:${mark}`)),
  },
}

interface Case {
  readonly name: string
  readonly fault: Fault
  readonly done: 0 | 1
  /** Why, as the log has it. */
  readonly said: RegExp
}

const late = 2 * TIMEOUT_MS
const SILENCE = new RegExp(`no answer from Redis within ${TIMEOUT_MS} ms`)
const CASES: readonly Case[] = [
  { name: 'is cut from its answer', fault: { kind: 'cut-answer' }, done: 1, said: /closed/ },
  { name: 'is cut in two', fault: { kind: 'cut-command' }, done: 0, said: /closed/ },
  { name: 'is answered late', fault: { kind: 'late-answer', ms: late }, done: 1, said: SILENCE },
  { name: 'arrives late', fault: { kind: 'late-command', ms: late }, done: 1, said: SILENCE },
  ...['LOADING Redis is loading', 'READONLY a replica', 'MOVED 7 127.0.0.1:1', 'UNBLOCKED'].map(
    (text): Case => ({
      name: `is answered ${text.split(' ')[0]}`,
      fault: { kind: 'error', text },
      done: 0,
      said: new RegExp(text),
    }),
  ),
]

for (const [what, act] of Object.entries(ACTS)) {
  t.test(`${what} is done once at most, whatever becomes of it`, async t => {
    const { server, open } = await redisWorld(t)
    const relay = await openRelay(t, server.port)
    const store = await open({ check: true }, { store: relay.url })
    // Redis knows the scripts from here on: no command has to be sent again with its text.
    await act.run(store, 'first')
    for (const [i, { name, fault, done, said }] of CASES.entries()) {
      const mark = `mark-${i}-`
      relay.await(mark, fault)
      const error = await act.run(store, mark).catch((thrown: unknown) => thrown)
      t.match(error, unavailable(said), `${name}: who asked is told`)
      const mayBeWritten = /may have been written/.test(String(error))
      t.equal(mayBeWritten, what === 'a commit' && fault.kind !== 'error', 'and no more than that')
      // What a connection has kept it would send before anything else.
      await t.resolves(eventually(() => store.commit(note('next'), [latest('next')])))
      while (act.done(server, mark) < done) await wait(20)
      t.equal(act.done(server, mark), done, `done ${done} times`)
      t.equal(relay.sent, 1, 'and sent once')
    }
  })
}
