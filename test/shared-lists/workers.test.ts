/** What a worker decides by while the index in force is still on its way to its machine, or came damaged. */
import { truncateSync } from 'node:fs'
import pino from 'pino'
import t, { type Test } from 'tap'
import { decide } from '../../src/policy/verdict.ts'
import { followSnapshot } from '../../src/snapshot/follower.ts'
import { host } from '../support/snapshot.ts'
import { openMachines, until, type Machine } from './machines.ts'

/** A worker of a machine; answers why it decides as it does. */
async function openWorker(t: Test, { store, config, catalogue }: Machine) {
  const said: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) })
  const current = await followSnapshot({ store, config, catalogue, clock: Date.now, logger })
  t.teardown(() => current.close())
  const reason = (name: string): string => {
    const { snapshot } = current
    const client = snapshot.networks(host('127.0.0.1'))
    return decide(snapshot, client, { host: host(name), port: 443 }, Date.now()).reason
  }
  return { reason, said, current }
}

const grant = {
  id: 'g1',
  host: host('miniclip.com'),
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'alice',
  at: 0,
  until: null,
} as const

t.test(
  'a worker goes on with the index it has, and swaps as soon as the next one is here',
  async t => {
    const machines = await openMachines(t)
    const a = await machines.add('a')
    const b = await machines.add('b')
    const worker = await openWorker(t, b)
    const { version } = await a.importHosts('own', ['new.example'])
    await b.store.commit({ by: 'test', action: 'test', at: 0 }, [
      { kind: 'grant', id: 'g1', body: grant },
    ])
    await until(() => worker.reason('miniclip.com') === 'grant')
    t.equal(worker.reason('new.example'), 'default', 'the version before decides meanwhile')
    t.equal(worker.reason('www.jeux.fr'), 'blocked-category')
    t.same(await b.store.list('alarm'), [], 'which is no reason for an alarm')
    t.same(worker.said, [], 'nor for the log')
    b.follow()
    await until(() => b.has(version))
    const startedAt = performance.now()
    await until(() => worker.reason('new.example') === 'blocked-category')
    t.comment(
      `measured: in force ${Math.round(performance.now() - startedAt)} ms after the file came, although it was long overdue`,
    )
  },
)

t.test('an index that was damaged on the disk of a machine is fetched anew by itself', async t => {
  const machines = await openMachines(t)
  const a = await machines.add('a')
  const b = await machines.add('b')
  const following = b.follow()
  const { version } = await a.importHosts('own', ['new.example'])
  await until(() => b.has(version))
  await following.stop()
  truncateSync(b.path(version.index), 100)
  const worker = await openWorker(t, b)
  t.equal(worker.reason('new.example'), 'default')
  await until(async () => (await b.store.list('alarm')).length === 1)
  const [alarm] = await a.store.list('alarm')
  t.match(alarm?.body, { kind: 'index-damaged', machine: /\/b$/ })
  const onA = await openWorker(t, a)
  t.equal(onA.reason('new.example'), 'blocked-category')
  await onA.current.close()
  t.equal(
    (await b.store.list('alarm')).length,
    1,
    'a whole one elsewhere ends no alarm of this machine',
  )
  b.follow()
  await until(() => worker.reason('new.example') === 'blocked-category')
  await until(async () => (await b.store.list('alarm')).length === 0)
  t.equal(b.checksum(version.index), a.checksum(version.index))
})
