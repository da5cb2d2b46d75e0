/** A Redis that took over may lack the last commits, and count others by their numbers. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { note } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis } from '../support/redis.ts'

t.test(
  'after a loss of the connection everything is another revision, whatever its number',
  async t => {
    const server = await startRedis(t)
    const store = await openStore(redisConfig(server.url), { check: true })
    t.teardown(() => store.close())
    const read = () => store.revision(['latest']).catch(() => undefined)
    await store.commit(note(), [{ kind: 'latest', id: 'k', body: { requestId: 'r' } }])
    const before = await read()
    await server.kill()
    await server.start()
    let after = await read()
    while (after === undefined) {
      await wait(20)
      after = await read()
    }
    t.not(after, before)
    t.equal(await read(), after)
  },
)
