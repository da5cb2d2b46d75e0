/** What is weaker than promised is told; what this user may not ask is told to be unknown. */
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config.ts'
import { copyStore } from '../../src/store/copy/copy.ts'
import { openReading, openWriting, parsePlace } from '../../src/store/copy/place.ts'
import { openStore } from '../../src/store/open-store.ts'
import { note } from '../contract/store.ts'
import { proposedRights } from '../support/readme.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startReplica, startRedis } from '../support/redis.ts'
import { latest, redisWorld } from './redis-world.ts'

t.test('each setting that loses what was acknowledged is a warning of its own', async t => {
  const { server, store } = await redisWorld(t)
  const written = () => /aof_current_size:\d+/.exec(server.cli('info', 'persistence'))?.[0]
  const before = written()
  t.same(await store.check(), { isUp: true, warnings: [] }, 'none where it is as the README says')
  t.ok(before)
  t.equal(written(), before, 'asking writes nothing')
  const set = (name: string, value: string) => server.cli('config', 'set', name, value)
  const warnings = async () => (await store.check()).warnings
  set('appendfsync', 'everysec')
  t.same(await warnings(), [{ code: 'appendfsync-weak', params: { policy: 'everysec' } }])
  set('appendfsync', 'always')
  set('no-appendfsync-on-rewrite', 'yes')
  const policy = 'no-appendfsync-on-rewrite'
  t.same(await warnings(), [{ code: 'appendfsync-weak', params: { policy } }])
  set('appendonly', 'no')
  t.same(await warnings(), [{ code: 'appendonly-off' }])
  set('maxmemory-policy', 'allkeys-lru')
  t.same(await warnings(), [
    { code: 'appendonly-off' },
    { code: 'evicting', params: { policy: 'allkeys-lru' } },
  ])
  set('maxmemory-policy', 'volatile-lru')
  t.same(await warnings(), [{ code: 'appendonly-off' }], 'permits may go')
})

t.test('replicas that are asked for and missing are a warning', async t => {
  const { server, store } = await redisWorld(t, { replicas: 2 })
  const missing = (found: number) => [{ code: 'replicas-missing', params: { found, wanted: 2 } }]
  t.same((await store.check()).warnings, missing(0))
  await startReplica(t, server)
  t.same((await store.check()).warnings, missing(1))
  await startReplica(t, server)
  t.same((await store.check()).warnings, [])
})

t.test('the rights that the operations page names are enough for all that is done', async t => {
  const server = await startRedis(t)
  server.cli('acl', 'setuser', 'preau', ...proposedRights('pw'))
  const url = `redis://preau:pw@127.0.0.1:${server.port}`
  const folder = t.testdir({ file: 'text' })
  const store = await openStore(redisConfig(url), { check: true })
  const told = new Promise<void>(resolve => store.watch(resolve))
  await store.commit(note(), [latest('k'), latest('l')])
  await told
  await store.commit(note(), [{ kind: 'latest', id: 'l', body: null }])
  t.ok(await store.get('latest', 'k'))
  t.equal((await store.list('latest')).length, 1)
  t.equal(await store.count('latest'), 1)
  t.equal((await store.tail({ limit: 5 })).length, 2)
  t.equal(await store.forget(Number.MAX_SAFE_INTEGER), 2)
  await store.permits.take('k', { max: 1, windowMs: 1_000 })
  await store.permits.giveBack('k')
  await store.permits.clear('k')
  await store.files?.put('f', join(folder, 'file'))
  await store.files?.fetch('f', join(folder, 'fetched'))
  t.equal((await store.files?.list())?.size, 1)
  await store.files?.drop(['f'])
  t.same(await store.check(), { isUp: true, warnings: [] })
  await store.close()

  const config = { ...loadConfig(undefined, {}), dataDir: folder }
  const copy = async (from: string, to: string) =>
    copyStore(
      await openReading(parsePlace(from, config)),
      await openWriting(parsePlace(to, config), config),
    )
  await copy(url, 'sqlite')
  server.cli('flushall')
  await copy('sqlite', url)
  const copied = await openStore(redisConfig(url))
  t.teardown(() => copied.close())
  t.ok(await copied.get('latest', 'k'))
})

t.test('where the settings may not be read this is said, and the store works', async t => {
  const server = await startRedis(t)
  const rights = ['on', '>pw', '~{preau}:*', '&*', '+@all', '-@admin', '-@dangerous']
  server.cli('acl', 'setuser', 'preau', ...rights)
  const config = redisConfig(`redis://preau:pw@127.0.0.1:${server.port}`)
  const store = await openStore(config, { check: true })
  t.teardown(() => store.close())
  await store.commit(note(), [latest('k')])
  t.match(await store.check(), {
    isUp: true,
    warnings: [{ code: 'unchecked', params: { detail: /NOPERM/ } }],
  })
})

t.test('all that the store writes stands under its prefix', async t => {
  const { server, store } = await redisWorld(t, { prefix: 'ville.2' })
  await store.commit(note(), [latest('k')])
  await store.permits.take('k', { max: 1, windowMs: 60_000 })
  const keys = server.cli('keys', '*').split('\n')
  t.ok(keys.length > 4)
  t.same(
    keys.filter(key => !key.startsWith('{ville.2}:')),
    [],
  )
})
