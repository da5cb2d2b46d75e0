/** Several processes on one Redis; any of them, and Redis itself, dies at any moment. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { freePort } from '../support/free-port.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis } from '../support/redis.ts'
import { start } from './store-child.ts'

t.test('a process killed at any moment loses nothing that was acknowledged', async t => {
  const server = await startRedis(t)
  const acknowledged: string[] = []
  for (let round = 0; round < 3; round++) {
    const names = ['a', 'b', 'c'].map(letter => `${letter}${round}`)
    const children = names.map(name => start(t, [server.url, 'write', name]))
    await Promise.all(children.map(child => child.next()))
    await wait(Math.random() * 60)
    for (const child of children) child.kill()
    for (const [i, child] of children.entries()) {
      const said = ['ok 1', ...(await child.rest())]
      acknowledged.push(...said.map(line => `${names[i]}-${line.slice(3)}`))
    }
  }
  const store = await openStore(redisConfig(server.url), { check: true })
  t.teardown(() => store.close())
  const ids = new Set((await store.list('latest', { limit: 1_000_000 })).map(({ id }) => id))
  t.ok(acknowledged.length >= 9, `${acknowledged.length} acknowledged commits`)
  t.same(
    acknowledged.filter(id => !ids.has(id)),
    [],
  )
  t.equal((await store.tail({ limit: 1_000_000 })).length, ids.size, 'each has its audit entry')
})

t.test('a Redis killed at any moment loses nothing that was acknowledged', async t => {
  const server = await startRedis(t)
  const names = ['a', 'b', 'c']
  const children = names.map(name => start(t, [server.url, 'persist', name]))
  await Promise.all(children.map(child => child.next()))
  for (let round = 0; round < 4; round++) {
    await wait(50 + Math.random() * 150)
    await server.kill()
    await server.start()
  }
  await wait(300)
  for (const child of children) child.kill()
  const said = await Promise.all(children.map(child => child.rest()))
  const acknowledged = said.flatMap((lines, i) => lines.map(line => `${names[i]}-${line.slice(3)}`))
  const store = await openStore(redisConfig(server.url), { check: true })
  t.teardown(() => store.close())
  const ids = new Set((await store.list('latest', { limit: 1_000_000 })).map(({ id }) => id))
  t.same(
    acknowledged.filter(id => !ids.has(id)),
    [],
  )
  const entries = await store.tail({ limit: 1_000_000 })
  t.equal(entries.length, ids.size, 'each has its audit entry')
  t.ok(
    entries.every(({ seq }, i) => i === 0 || seq === (entries[i - 1]?.seq ?? 0) - 1),
    'numbered without a gap',
  )
  t.comment(`measured: 4 kills of Redis, ${acknowledged.length} acknowledged, ${ids.size} kept`)
})

t.test('two processes tell each other what they commit', async t => {
  const server = await startRedis(t)
  const one = start(t, [server.url, 'watch'])
  const two = start(t, [server.url, 'watch'])
  t.same(await Promise.all([one.next(), two.next()]), ['ready', 'ready'])
  for (const [speaker, listener, text] of [
    [one, two, 'from one'],
    [two, one, 'from two'],
  ] as const) {
    const startedAt = performance.now()
    speaker.tell(text)
    let heard = await listener.next()
    while (heard !== undefined && heard !== `changed ${text}`) heard = await listener.next()
    t.equal(heard, `changed ${text}`)
    t.comment(`measured: told after ${(performance.now() - startedAt).toFixed(0)} ms`)
  }
})

t.test('processes that make the store at once end up with the same one', async t => {
  const server = await startRedis(t)
  const names = ['a', 'b', 'c']
  const children = names.map(name => start(t, [server.url, 'create', name]))
  await Promise.all(children.map(child => child.next()))
  for (const child of children) child.tell('go')
  t.same(await Promise.all(children.map(child => child.next())), ['done', 'done', 'done'])
  const store = await openStore(redisConfig(server.url), { check: true })
  t.teardown(() => store.close())
  t.same((await store.list('latest')).map(({ id }) => id).sort(), names)
})

t.test('a closed store keeps no process alive, whether Redis is there, silent or away', async t => {
  const server = await startRedis(t)
  await (await openStore(redisConfig(server.url), { check: true })).close()
  const dead = `127.0.0.1:${await freePort()}`
  const leave = async (url: string, title: string) => {
    const child = start(t, [url, 'leave'])
    t.equal(await child.next(), 'closed', title)
    const closedAt = performance.now()
    t.equal(await child.ended, 0, title)
    t.ok(performance.now() - closedAt < 5_000, `${title}: it ends`)
  }
  await leave(server.url, 'there')
  await leave(`redis://${dead}`, 'away')
  await leave(`redis-sentinel://${dead}/0#preau`, 'no sentinel')
  await leave(`redis-cluster://${dead}`, 'no cluster')
  server.pause()
  await leave(server.url, 'silent')
  server.resume()
})
