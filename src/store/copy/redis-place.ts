/** A connection to a Redis for a copy: patient, since what it asks for takes longer than a click may. */
import type { Redis } from 'ioredis'
import type { Config } from '../../config.ts'
import { storeName, type RedisAddress } from '../../config-store.ts'
import { connectorFor } from '../open-redis-store.ts'
import { readingError } from '../redis-error.ts'
import { RedisLink } from '../redis-link.ts'
import { redisKeys, type RedisKeys } from '../redis-records.ts'

export interface RedisPlace {
  readonly url: string
  readonly address: RedisAddress
  readonly settings: Config['redis']
}

export interface OpenPlace {
  readonly link: RedisLink
  readonly keys: RedisKeys
  /** Without its password. */
  readonly name: string
  readonly replicas: number
}

const PATIENCE_MS = 30_000

/** `look` is asked at each connection, and may refuse it. Throws PREAU_STORE_UNAVAILABLE and what `look` throws. */
export async function openPlace(
  { url, address, settings }: RedisPlace,
  look: (redis: Redis, place: Pick<OpenPlace, 'keys' | 'name'>) => Promise<void>,
): Promise<OpenPlace> {
  const keys = redisKeys(settings.prefix)
  const place = { keys, name: storeName(url), replicas: settings.replicas }
  const link = new RedisLink(connectorFor(address, settings), {
    timeoutMs: Math.max(PATIENCE_MS, settings.commandTimeoutMs),
    attempts: 1,
    onUp: () => undefined,
    async prepare(redis) {
      if (address.db > 0) await redis.select(address.db)
      await look(redis, place)
    },
  })
  try {
    await link.firstAttempts
    return { ...place, link }
  } catch (error) {
    await link.close()
    throw readingError(error)
  }
}
