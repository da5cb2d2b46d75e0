/** A city on a Redis that stands behind a network which may get into trouble. */
import { startRedis, type RedisServer } from '../support/redis.ts'
import { openCity, type City, type CityOptions } from './city.ts'
import { openShim, type Shim } from './faults/shim.ts'
import { homeOf, type Stage } from './stage.ts'

export interface RedisCity {
  readonly city: City
  readonly redis: RedisServer
  readonly shim: Shim
}

export async function openRedisCity(stage: Stage, options: CityOptions = {}): Promise<RedisCity> {
  const redis = await startRedis(homeOf(stage))
  const shim = await openShim(stage, () => redis.port)
  const config = { ...options.config, store: `redis://127.0.0.1:${shim.port}` }
  return { redis, shim, city: await openCity(stage, { ...options, config }) }
}
