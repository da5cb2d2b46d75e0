/** Whether what stands in Redis is the store that is meant: a foreign, newer, empty or emptied one is not used. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { note } from '../contract/store.ts'
import { latest, redisWorld, unavailable } from './redis-world.ts'

const MARKER = '{preau}:schema'

t.test('what another program or a newer Préau wrote is refused and not touched', async t => {
  const { server, open } = await redisWorld(t)
  const place = new RegExp(`redis://127.0.0.1:${server.port}`)
  const newer = JSON.stringify({ preau: 2, id: 'x' })
  const cases: [title: string, set: string[][], code: string][] = [
    ['some text', [['set', MARKER, 'bonjour']], 'PREAU_STORE_DAMAGED'],
    ['other JSON', [['set', MARKER, '{"a":1}']], 'PREAU_STORE_DAMAGED'],
    ['null', [['set', MARKER, 'null']], 'PREAU_STORE_DAMAGED'],
    ['another type', [['lpush', MARKER, 'x']], 'PREAU_STORE_DAMAGED'],
    ['a counter without its marker', [['set', '{preau}:seq', '7']], 'PREAU_STORE_DAMAGED'],
    ['a newer schema', [['set', MARKER, newer]], 'PREAU_STORE_TOO_NEW'],
  ]
  for (const [title, commands, code] of cases) {
    server.cli('flushall')
    for (const command of commands) server.cli(...command)
    const before = server.cli('debug', 'digest')
    t.match(before, /^[0-9a-f]{40}$/)
    await t.rejects(open({ check: true }), { code, params: { file: place } }, title)
    const worker = await open({ check: false })
    await t.rejects(worker.get('latest', 'k'), unavailable(place), title)
    await worker.close()
    t.equal(server.cli('debug', 'digest'), before, `${title}: same data`)
  }
})

t.test('a worker does not make a store, a start or a command does', async t => {
  const { server, store, open } = await redisWorld(t)
  await store.close()
  server.cli('flushall')
  const worker = await open({ check: false })
  await t.rejects(worker.commit(note(), []), unavailable(/there is none yet/))
  const told = new Promise<void>(resolve => worker.watch(resolve))
  await open({ check: true })
  await t.resolves(told)
  await worker.commit(note(), [latest('k')])
})

t.test('a Redis that comes back empty is not taken for the store it was', async t => {
  const { server, store, open } = await redisWorld(t, {}, { appendonly: 'no' })
  await store.commit(note(), [latest('k')])
  await server.kill()
  await server.start()
  const said = () => store.get('latest', 'k').then(String, String)
  while (/ECONN|closed/.test(await said())) await wait(20)
  t.match(await said(), /came back without the data/)
  const next = await open({ check: true })
  await next.commit(note(), [latest('new')])
  await t.rejects(store.get('latest', 'new'), unavailable(/another store/), 'nor the next one')
})

t.test('a store that is emptied under way takes no more commits', async t => {
  const { server, store } = await redisWorld(t)
  await store.commit(note(), [latest('k')])
  server.cli('flushall')
  await t.rejects(
    store.commit(note(), [latest('k')]),
    unavailable(/not any more those of this store/),
  )
  t.equal(server.cli('dbsize'), '0', 'nothing was written')
  await t.rejects(store.get('latest', 'k'), unavailable())
})

t.test('whoever only reads learns that it was emptied, too', async t => {
  const { server, store } = await redisWorld(t)
  await store.commit(note(), [latest('k')])
  store.watch(() => undefined)
  await store.get('latest', 'k')
  server.cli('flushall')
  while (
    await store.get('latest', 'k').then(
      () => true,
      () => false,
    )
  )
    await new Promise(resolve => setTimeout(resolve, 20))
  t.pass('within one look at the counter')
})
