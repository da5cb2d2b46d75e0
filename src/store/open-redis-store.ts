/** Opens the store in the Redis that the configuration names. */
import { readFileSync } from 'node:fs'
import type { Config } from '../config.ts'
import { storeName, type RedisAddress } from '../config-store.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { RedisConnector } from './redis-connect.ts'
import { redisKeys } from './redis-records.ts'
import { RedisStore } from './redis-store.ts'

/** How long a process that may go on without the store waits for it. */
const PATIENCE_MS = 1_000
const MAX_ATTEMPTS = 3

export interface RedisOptions {
  readonly url: string
  readonly address: RedisAddress
  readonly settings: Config['redis']
  /**
   * True: throws what is wrong where the store cannot be used now, and makes it where there is none. Otherwise opens in
   * any case: calls are rejected with the reason until Redis can be used, and then those who watch are told.
   */
  readonly check: boolean
}

/** Throws PREAU_STORE_UNREADABLE, and with `check` PREAU_STORE_UNAVAILABLE, PREAU_STORE_DAMAGED and PREAU_STORE_TOO_NEW. */
export async function openRedisStore(options: RedisOptions): Promise<RedisStore> {
  const { url, address, settings, check } = options
  const keys = redisKeys(settings.prefix)
  const timeoutMs = settings.commandTimeoutMs
  const store = new RedisStore({
    connector: connectorFor(address, settings),
    keys,
    place: storeName(url),
    replicas: settings.replicas,
    canFailOver: address.mode !== 'single',
    timeoutMs,
    attempts: Math.min(address.endpoints.length, MAX_ATTEMPTS),
    mayCreate: check,
  })
  try {
    await (check ? store.opened() : patiently(store.opened()))
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Throws PREAU_STORE_UNREADABLE. */
export function connectorFor(address: RedisAddress, settings: Config['redis']): RedisConnector {
  return new RedisConnector({
    address,
    ca: readAuthority(settings.caFile),
    sentinelPassword: settings.sentinelPassword,
    timeoutMs: settings.commandTimeoutMs,
    slotKey: redisKeys(settings.prefix).schema,
  })
}

function readAuthority(file: string | null): string | undefined {
  if (file === null) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new PreauError('PREAU_STORE_UNREADABLE', { file, detail: detailOf(error) })
  }
}

async function patiently(opened: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, PATIENCE_MS)
  await Promise.race([opened.catch(() => undefined), promise])
  clearTimeout(timer)
}
