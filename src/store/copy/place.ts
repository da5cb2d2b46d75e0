/** What a person names as a store to copy from or to, and how it is opened. */
import { join, resolve } from 'node:path'
import type { Config } from '../../config.ts'
import { PreauError } from '../../errors.ts'
import { makeDataFolder, STORE_FILE, withoutCredentials } from '../open-store.ts'
import { openSqliteReading } from './sqlite-reading.ts'
import { openSqliteWriting } from './sqlite-writing.ts'
import type { Reading, Writing } from './transfer.ts'

export type Place =
  | { readonly kind: 'sqlite'; readonly file: string; readonly isOwn: boolean }
  | { readonly kind: 'redis'; readonly url: string }

/**
 * `sqlite`: the embedded store of the data folder; `current`: the one of the configuration; an address with a scheme;
 * anything else is the path of a database file.
 */
export function parsePlace(
  text: string,
  { dataDir, store }: Pick<Config, 'dataDir' | 'store'>,
): Place {
  const named = text === 'current' ? store : text
  if (named === 'sqlite') return { kind: 'sqlite', file: join(dataDir, STORE_FILE), isOwn: true }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(named)) return { kind: 'redis', url: named }
  return { kind: 'sqlite', file: resolve(named), isOwn: false }
}

/** As it may be shown: never with a password. */
export function nameOf(place: Place): string {
  return place.kind === 'sqlite' ? place.file : withoutCredentials(place.url)
}

export async function openReading(place: Place, config: Config): Promise<Reading> {
  if (place.kind === 'sqlite') return openSqliteReading(place.file, { check: true })
  throw new PreauError('PREAU_STORE_UNSUPPORTED', { url: nameOf(place) })
}

/** The data folder is made where it is missing, as the first start does; any other folder must be there. */
export async function openWriting(place: Place, config: Config): Promise<Writing> {
  if (place.kind === 'sqlite' && place.isOwn) makeDataFolder(config)
  if (place.kind === 'sqlite') return openSqliteWriting(place.file)
  throw new PreauError('PREAU_STORE_UNSUPPORTED', { url: nameOf(place) })
}
