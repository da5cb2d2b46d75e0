/** A store in a Redis of the test, with little patience so that faults are tested fast. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Test } from 'tap'
import { openStore, type StoreConfig } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis, type RedisConf, type RedisServer } from '../support/redis.ts'

export const TIMEOUT_MS = 400

export const latest = (id: string, requestId = 'r') =>
  ({ kind: 'latest', id, body: { requestId } }) as const

export const unavailable = (detail?: RegExp) => ({
  code: 'PREAU_STORE_UNAVAILABLE',
  ...(detail === undefined ? {} : { message: detail }),
})

export interface RedisWorld {
  readonly server: RedisServer
  readonly store: Store
  /** One more handle on the same place. */
  readonly open: (options?: { check?: boolean }, changed?: Partial<StoreConfig>) => Promise<Store>
}

export async function redisWorld(
  t: Test,
  settings: Partial<NonNullable<StoreConfig['redis']>> = {},
  conf: RedisConf = {},
): Promise<RedisWorld> {
  const server = await startRedis(t, conf)
  const config = redisConfig(server.url, { commandTimeoutMs: TIMEOUT_MS, ...settings })
  const open: RedisWorld['open'] = async (options = { check: true }, changed = {}) => {
    const store = await openStore({ ...config, ...changed }, options)
    t.teardown(() => store.close())
    return store
  }
  return { server, store: await open(), open }
}

/** Asks until it does not fail. */
export async function eventually<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch {
      await wait(20)
    }
  }
}

/** How long it takes to settle, and that it does. */
export async function timed(settling: Promise<unknown>): Promise<number> {
  const start = performance.now()
  await settling.catch(() => undefined)
  return performance.now() - start
}
