/** What a person names as a store to copy from or to, and how it is opened. */
import { join, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { parseStoreAddress, STORE_FORMS, storeName } from '../../config-store.ts'
import { PreauError } from '../../errors.ts'
import { makeDataFolder, STORE_FILE } from '../open-store.ts'
import { openRedisReading } from './redis-reading.ts'
import type { RedisPlace } from './redis-place.ts'
import { openRedisWriting } from './redis-writing.ts'
import { openSqliteReading } from './sqlite-reading.ts'
import { openSqliteWriting } from './sqlite-writing.ts'
import type { Reading, Writing } from './transfer.ts'

/** `isOwn`: the embedded store of this installation. */
export type Place =
  | { readonly engine: 'sqlite'; readonly file: string; readonly isOwn: boolean }
  | (RedisPlace & { readonly engine: 'redis' })

/**
 * `sqlite`: the embedded store of the data folder; `current`: the one of the configuration; the address of a Redis;
 * anything else is the path of a database file. Throws PREAU_STORE_UNSUPPORTED for what looks like another address.
 */
export function parsePlace(text: string, config: Config): Place {
  const named = text === 'current' ? config.store : text
  const address = parseStoreAddress(named)
  if (address?.engine === 'redis')
    return { engine: 'redis', url: named, address, settings: config.redis }
  if (address?.engine === 'sqlite')
    return { engine: 'sqlite', file: join(config.dataDir, STORE_FILE), isOwn: true }
  if (/^[a-z][\w+.-]*:/i.test(named))
    throw new PreauError('PREAU_STORE_UNSUPPORTED', { url: storeName(named), forms: STORE_FORMS })
  return { engine: 'sqlite', file: resolve(named), isOwn: false }
}

/** As it may be shown: never with a password. */
export function nameOf(place: Place): string {
  return place.engine === 'sqlite' ? place.file : storeName(place.url)
}

export async function openReading(place: Place): Promise<Reading> {
  if (place.engine === 'redis') return openRedisReading(place)
  return openSqliteReading(place.file, { check: true })
}

/** The data folder is made where it is missing, as the first start does; any other folder must be there. */
export async function openWriting(place: Place, config: Pick<Config, 'dataDir'>): Promise<Writing> {
  if (place.engine === 'redis') return openRedisWriting(place)
  if (place.isOwn) makeDataFolder(config)
  return openSqliteWriting(place.file)
}
