/** What a store says and does while its Redis is unwell: no hang, no half of a commit, no commit twice. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { inspect } from 'node:util'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { note } from '../contract/store.ts'
import { freePort } from '../support/free-port.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startReplica } from '../support/redis.ts'
import { eventually, latest, redisWorld, timed, TIMEOUT_MS, unavailable } from './redis-world.ts'

/** All that a store may take to give an answer, on a busy machine. */
const AT_ONCE_MS = 5 * TIMEOUT_MS

/** Answers a function that waits for the next call of a watcher. */
function watchFor(store: Store): () => Promise<void> {
  let tell = (): void => undefined
  store.watch(() => tell())
  return () => new Promise(resolve => (tell = resolve))
}

t.test('a Redis that is not there is an error at the start of Préau', async t => {
  const config = redisConfig(`redis://:secret@127.0.0.1:${await freePort()}`)
  await t.rejects(openStore(config, { check: true }), unavailable(/ECONNREFUSED/))
})

t.test(
  'a worker opens without Redis, refuses at once, and is told when Redis is there',
  async t => {
    const { server, store, open } = await redisWorld(t)
    await store.commit(note(), [latest('k')])
    await server.stop()
    const worker = await open({ check: false })
    t.ok((await timed(worker.get('latest', 'k'))) < TIMEOUT_MS / 2, 'no waiting')
    await t.rejects(worker.get('latest', 'k'), unavailable(/ECONNREFUSED/))
    await t.rejects(worker.commit(note(), []), unavailable(/ECONNREFUSED/))
    await t.rejects(worker.permits.take('k', { max: 1, windowMs: 1_000 }), unavailable())
    t.match(await worker.check(), {
      isUp: false,
      detail: { en: /connection refused/ },
      warnings: [],
    })
    const told = new Promise<void>(resolve => worker.watch(resolve))
    await server.start()
    await t.resolves(told)
    t.ok(await worker.get('latest', 'k'))
  },
)

t.test('a wrong or missing password is said, without telling the one that was tried', async t => {
  const { server } = await redisWorld(t, {}, { requirepass: 'right' })
  for (const [login, message] of [
    [':wr0ng@', /WRONGPASS/],
    ['', /NOAUTH/],
  ] as const) {
    const config = redisConfig(`redis://${login}127.0.0.1:${server.port}`)
    const error = await openStore(config, { check: true }).catch((thrown: unknown) => thrown)
    t.match(error, { code: 'PREAU_STORE_UNAVAILABLE', message })
    t.notMatch(inspect(error, { depth: 9 }), 'wr0ng')
  }
})

t.test(
  'a password that changes meanwhile is an outage, and not the end of the process',
  async t => {
    const { server, store } = await redisWorld(t)
    server.cli('config', 'set', 'requirepass', 'new')
    server.cli('-a', 'new', 'client', 'kill', 'type', 'normal')
    await wait(100)
    await t.rejects(store.get('latest', 'k'), unavailable(/NOAUTH/))
    server.cli('-a', 'new', 'config', 'set', 'requirepass', '')
    await t.resolves(eventually(() => store.commit(note(), [latest('k')])))
  },
)

t.test('a Redis that falls silent is given up in time, and used again when it speaks', async t => {
  const { server, store } = await redisWorld(t)
  await store.commit(note(), [latest('k', 'before')])
  server.pause()
  const calls = [
    store.commit(note('silent'), [latest('k', 'during')]),
    store.get('latest', 'k'),
    store.list('latest'),
    store.permits.take('k', { max: 1, windowMs: 1_000 }),
  ] as const
  const times = await Promise.all(calls.map(timed))
  t.comment(`measured: answers of a silent Redis after ${Math.max(...times).toFixed(0)} ms`)
  t.ok(Math.max(...times) < AT_ONCE_MS)
  await t.rejects(calls[0], unavailable(/may have been written/))
  await t.rejects(calls[1], unavailable(/no answer from Redis within 400 ms/))
  t.ok(
    (await timed(store.get('latest', 'k'))) < TIMEOUT_MS / 2,
    'the next one does not wait at all',
  )
  const health = store.check()
  t.ok((await timed(health)) < 1_000)
  t.equal((await health).isUp, false)
  server.resume()
  const back = await timed(eventually(() => store.get('latest', 'k')))
  t.comment(`measured: back ${back.toFixed(0)} ms after a silence`)
  const kept = (await store.get('latest', 'k'))?.body.requestId
  t.ok(kept === 'before' || kept === 'during')
  const silent = (await store.tail({ limit: 10 })).filter(({ action }) => action === 'silent')
  t.equal(
    silent.length,
    kept === 'during' ? 1 : 0,
    'a commit without an answer is whole or not at all',
  )
})

t.test('a Redis that is silent from the first moment does not hang a start', async t => {
  const { server, open } = await redisWorld(t)
  server.pause()
  const opening = open({ check: true })
  t.ok((await timed(opening)) < AT_ONCE_MS)
  await t.rejects(opening, unavailable(/no answer/))
  const worker = await open({ check: false })
  await t.rejects(worker.get('latest', 'k'), unavailable())
  server.resume()
  await t.resolves(eventually(() => worker.get('latest', 'k')))
})

t.test('an answer that came while this process was busy is no silence', async t => {
  const { store } = await redisWorld(t)
  const commit = store.commit(note(), [latest('k')])
  await new Promise(setImmediate)
  const until = performance.now() + 2 * TIMEOUT_MS
  while (performance.now() < until);
  await t.resolves(commit)
})

t.test('a Redis without memory refuses the whole commit and keeps what it has', async t => {
  const { server, store } = await redisWorld(t)
  await store.commit(note('before'), [latest('k', 'before')])
  server.cli('config', 'set', 'maxmemory', '1')
  const changes = [
    latest('k', 'after'),
    latest('l'),
    { kind: 'latest', id: 'k', body: null } as const,
  ]
  const refused = await store.commit(note('refused'), changes).catch((error: unknown) => error)
  t.match(refused, unavailable(/OOM/))
  t.notMatch(
    inspect(refused, { depth: 9 }),
    'requestId',
    'an error, which is logged, has no record in it',
  )
  await t.rejects(store.permits.take('k', { max: 1, windowMs: 1_000 }), unavailable(/OOM/))
  t.match(await store.check(), { isUp: false, detail: { en: /no memory left/ } })
  t.equal((await store.get('latest', 'k'))?.body.requestId, 'before')
  t.equal((await store.tail({ limit: 10 })).length, 1)
  server.cli('config', 'set', 'maxmemory', '0')
  await store.commit(note('after'), changes)
  t.match(await store.tail({ limit: 1 }), [{ seq: 2, action: 'after' }])
})

t.test('a Redis that cannot save or misses its replicas refuses, and says so', async t => {
  const { server, store } = await redisWorld(t)
  server.cli('config', 'set', 'min-replicas-to-write', '1')
  await t.rejects(store.commit(note(), [latest('k')]), unavailable(/NOREPLICAS/))
  t.match(await store.check(), { isUp: false, detail: { en: /lost its replicas/ } })
  server.cli('config', 'set', 'min-replicas-to-write', '0')
  server.cli('config', 'set', 'save', '3600 1')
  // The name is taken by a folder: no snapshot can be put there, whoever asks.
  mkdirSync(join(server.folder, 'dump.rdb', 'full'), { recursive: true })
  server.cli('bgsave')
  while (!server.cli('info', 'persistence').includes('rdb_last_bgsave_status:err')) await wait(20)
  await t.rejects(store.commit(note(), [latest('k')]), unavailable(/MISCONF/))
  t.match(await store.check(), { isUp: false, detail: { en: /disk|write|MISCONF/ } })
  server.cli('config', 'set', 'stop-writes-on-bgsave-error', 'no')
  await store.commit(note(), [latest('k')])
  t.equal((await store.tail({ limit: 10 })).length, 1)
})

t.test('a Redis that has become a replica is left, and nothing is read from it', async t => {
  const { server, store } = await redisWorld(t)
  await store.commit(note(), [latest('k')])
  server.cli('replicaof', '127.0.0.1', String(await freePort()))
  await t.rejects(store.commit(note(), [latest('k')]), unavailable(/READONLY/))
  await wait(100)
  await t.rejects(store.get('latest', 'k'), unavailable(/replica/))
  server.cli('replicaof', 'no', 'one')
  await t.resolves(eventually(() => store.commit(note(), [latest('k')])))
})

t.test('a Redis that still loads its data is waited for, in steps', async t => {
  const { server, store } = await redisWorld(t)
  const many = Array.from({ length: 300 }, (_, i) => latest(`k${i}`, 'x'.repeat(100)))
  await store.commit(note(), many)
  server.cli('debug', 'populate', '4000')
  server.cli('bgrewriteaof')
  const written = /aof_rewrite_in_progress:0[^]*aof_rewrites:1/
  while (!written.test(server.cli('info', 'persistence'))) await wait(20)
  await server.stop()
  const starting = server.start({
    'key-load-delay': '300',
    'loading-process-events-interval-bytes': '1024',
  })
  const said = new Set<string>()
  const ask = () => store.get('latest', 'k1').then(() => 'loaded', String)
  for (let answer = await ask(); answer !== 'loaded'; answer = await ask()) {
    said.add(answer)
    await wait(20)
  }
  await starting
  t.match([...said].join(), /LOADING/)
  t.equal(await store.count('latest'), 300)
})

t.test(
  'connections that are cut under load: nothing acknowledged is lost, nothing is done twice',
  async t => {
    const { server, store, open } = await redisWorld(t)
    const observer = await open()
    const acknowledged: string[] = []
    const load = { cuts: 0, commits: 0, isOn: true }
    const cutting = (async () => {
      // On a busy machine few commits fit between two cuts.
      while (load.cuts < 30 || (acknowledged.length <= 100 && load.cuts < 1_000)) {
        await wait(10 + Math.random() * 20)
        server.cli('client', 'kill', 'type', 'normal')
        load.cuts += 1
      }
      load.isOn = false
    })()
    while (load.isOn) {
      const actions = Array.from({ length: 20 }, () => `act-${++load.commits}`)
      const results = await Promise.allSettled(
        actions.map(action => store.commit(note(action), [latest(action)])),
      )
      results.forEach(({ status }, n) => {
        if (status === 'fulfilled') acknowledged.push(actions[n] ?? '')
      })
      if (results.some(({ status }) => status === 'rejected')) await wait(5)
    }
    await cutting
    const entries = await eventually(() => observer.tail({ limit: 1_000_000 }))
    const done = entries.map(({ action }) => action)
    t.equal(new Set(done).size, done.length, 'no commit was done twice')
    const doneSet = new Set(done)
    t.same(
      acknowledged.filter(action => !doneSet.has(action)),
      [],
    )
    t.equal(await observer.count('latest'), done.length, 'each one is whole')
    t.ok(acknowledged.length > 100, `${acknowledged.length} acknowledged`)
    t.comment(
      `measured: ${load.cuts} cuts, ${load.commits} commits, ${acknowledged.length} acknowledged, ${done.length} done`,
    )
  },
)

t.test('scripts that Redis has forgotten are brought again', async t => {
  const { server, store } = await redisWorld(t)
  await store.commit(note(), [latest('k')])
  server.cli('script', 'flush')
  const commit = store.commit(note(), [latest('l')])
  await store.close()
  await t.resolves(commit, 'even when the store is closed meanwhile')
})

t.test('a change whose message was lost is told all the same', async t => {
  const { server, store } = await redisWorld(t)
  const next = watchFor(store)
  await store.commit(note(), [])
  await wait(300)
  const told = next()
  server.cli('incr', '{preau}:seq')
  await t.resolves(told, 'at the next look at the counter')
})

t.test('whoever watches is told when the line to Redis was cut', async t => {
  const { server, store } = await redisWorld(t)
  const next = watchFor(store)
  await store.commit(note(), [])
  await wait(300)
  const told = next()
  server.cli('client', 'kill', 'type', 'pubsub')
  await t.resolves(told, 'the messages of the meantime may be lost')
})

t.test('without the replicas that must have it a change is not acknowledged', async t => {
  const { server, store } = await redisWorld(t, { replicas: 1 })
  const commit = store.commit(note(), [latest('k', 'one')])
  t.ok((await timed(commit)) < AT_ONCE_MS)
  await t.rejects(commit, unavailable(/0 of 1 replicas .* may have been written/))
  const replica = await startReplica(t, server)
  await store.commit(note(), [latest('k', 'two')])
  t.match(replica.cli('hget', '{preau}:doc:latest', 'k'), /two/, 'the replica has it at once')
  const many = Array.from({ length: 100 }, (_, i) => store.commit(note(), [latest(`k${i}`)]))
  t.comment(
    `measured: 100 commits at once with a replica in ${(await timed(Promise.all(many))).toFixed(0)} ms`,
  )
  t.equal(await store.count('latest'), 101)
  replica.pause()
  const [held, read] = [store.commit(note(), [latest('k', 'three')]), store.get('latest', 'k')]
  const first = Promise.race([read.then(() => 'read'), held.catch(() => 'held')])
  t.equal(await first, 'read', 'reading does not wait for replicas')
  await t.rejects(held, unavailable(/may have been written/))
  replica.resume()
  await t.resolves(eventually(() => store.commit(note(), [latest('k', 'four')])))
})

t.test('a database that Redis does not have is refused', async t => {
  const { server } = await redisWorld(t)
  const config = redisConfig(`${server.url}/99`)
  await t.rejects(openStore(config, { check: true }), unavailable(/DB index is out of range/))
})
