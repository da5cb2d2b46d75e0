/** Opens the store that the configuration names. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { parseStoreAddress, redisSchema, STORE_FORMS, storeName } from '../config-store.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Store } from './store.ts'

/** The embedded store, in the data folder. */
export const STORE_FILE = 'preau.db'

/** `redis` may be left out where its defaults do. */
export type StoreConfig = Pick<Config, 'store' | 'dataDir'> & Partial<Pick<Config, 'redis'>>

/**
 * `sqlite`: `<dataDir>/preau.db`, the folder made for its owner only. `check`, once per machine and for commands: the
 * store must be sound and reachable now (SQLite: the whole file is read first) and is made where there is none; without
 * it a Redis that cannot be reached is opened all the same, and used as soon as it can be. Throws PREAU_STORE_UNSUPPORTED,
 * PREAU_STORE_UNREADABLE and what `openSqliteStore` and `openRedisStore` throw.
 */
export async function openStore(
  { store, dataDir, redis }: StoreConfig,
  { check = false }: { readonly check?: boolean } = {},
): Promise<Store> {
  const address = parseStoreAddress(store)
  if (address === undefined)
    throw new PreauError('PREAU_STORE_UNSUPPORTED', { url: storeName(store), forms: STORE_FORMS })
  if (address.engine === 'redis') {
    const settings = redis ?? redisSchema.parse({})
    // Its client is loaded only where there is a Redis: every process opens a store.
    const { openRedisStore } = await import('./open-redis-store.ts')
    return openRedisStore({ url: store, address, settings, check })
  }
  makeDataFolder({ dataDir })
  return openSqliteStore(join(dataDir, STORE_FILE), { check })
}

/** For its owner only. Throws PREAU_STORE_UNREADABLE. */
export function makeDataFolder({ dataDir }: Pick<Config, 'dataDir'>): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    const file = join(dataDir, STORE_FILE)
    throw new PreauError('PREAU_STORE_UNREADABLE', { file, detail: detailOf(error) })
  }
}
