/** What follows a Redis knows what it holds, and reads all again where it cannot be sure of that. */
import t from 'tap'
import type { Change } from '../../src/policy/document.ts'
import { StateReader } from '../../src/snapshot/state-reader.ts'
import { openStore } from '../../src/store/open-store.ts'
import { COMMIT } from '../../src/store/redis-scripts.ts'
import { followedContract } from '../contract/followed.ts'
import { note } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis } from '../support/redis.ts'
import { eventually } from '../store/redis-world.ts'

t.test('what is told of random commits is what the store holds', async t => {
  const server = await startRedis(t, { appendfsync: 'no' })
  let places = 0
  await followedContract(t, 80, async () => {
    const prefix = `p${++places}`
    const store = await openStore(redisConfig(server.url, { prefix }), { check: true })
    return {
      store,
      async commitAsBefore(id, body) {
        const marker = server.cli('get', `{${prefix}}:schema`)
        const entry = JSON.stringify({
          at: 0,
          by: 'old',
          action: 'old',
          subject: null,
          detail: null,
        })
        const isActive = !('endedAt' in body) || body.endedAt === undefined
        // As `facetsOf` derives them.
        const facets = JSON.stringify(isActive ? ['active'] : ['ended'])
        // Escaped as JSON escapes, so that a name with a NUL can be an argument.
        const args = [marker, entry, 'grant', id, '', facets, '1', JSON.stringify(body)]
        const hex = args.map(text => Buffer.from(text).toString('hex'))
        const decoding = `for i = 1, #ARGV do ARGV[i] = ARGV[i]:gsub('..', function(h) return string.char(tonumber(h, 16)) end) end`
        server.cli('eval', `${decoding}\n${COMMIT.text}`, '1', `{${prefix}}:seq`, ...hex)
      },
      close: () => store.close(),
    }
  })
})

t.test('after a loss of the connection, or where data are put in place, all is read', async t => {
  const server = await startRedis(t)
  const store = await openStore(redisConfig(server.url), { check: true })
  t.teardown(() => store.close())
  const commit = (...changes: object[]) => store.commit(note(), changes as Change[])
  await commit(
    { kind: 'policy', id: 'current', body: {} },
    { kind: 'lists', id: 'current', body: {} },
  )
  const reader = new StateReader(store, () => 0)
  t.equal((await reader.read()).isAllRead, true)
  await commit({ kind: 'policy', id: 'current', body: {} })
  t.equal((await reader.read()).isAllRead, false)
  const before = await store.revision(['policy'])
  server.cli('client', 'kill', 'type', 'normal')
  t.equal(
    (await eventually(() => reader.read())).isAllRead,
    true,
    'a Redis that took over may count others by the same numbers',
  )
  t.equal(await store.changes(before), undefined)
  t.equal((await reader.read()).isAllRead, false)
  server.cli('set', '{preau}:schema', 'of another store')
  t.equal(await store.changes(await store.revision(['policy'])), undefined)
})
