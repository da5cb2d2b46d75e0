import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { storeContract } from '../contract/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis } from '../support/redis.ts'

const server = await startRedis(t)

let places = 0
storeContract(t, 'Redis', () => {
  const config = redisConfig(server.url, { prefix: `place${++places}` })
  return () => openStore(config, { check: true })
})
