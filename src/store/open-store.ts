/** Opens the store that the configuration names. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { openSqliteStore } from './sqlite-store.ts'
import type { Store } from './store.ts'

/** The embedded store, in the data folder. */
export const STORE_FILE = 'preau.db'

/**
 * `sqlite`: `<dataDir>/preau.db`, the folder made for its owner only. `check`: read the whole file first (once per
 * machine is enough). Throws PREAU_STORE_UNSUPPORTED, PREAU_STORE_UNREADABLE and what `openSqliteStore` throws.
 */
export async function openStore(
  { store, dataDir }: Pick<Config, 'store' | 'dataDir'>,
  options: { readonly check?: boolean } = {},
): Promise<Store> {
  if (store !== 'sqlite') {
    throw new PreauError('PREAU_STORE_UNSUPPORTED', { url: withoutCredentials(store) })
  }
  makeDataFolder({ dataDir })
  return openSqliteStore(join(dataDir, STORE_FILE), options)
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

/** An address as it may be logged and shown. A password that nobody has escaped may have any character in it. */
export function withoutCredentials(url: string): string {
  return url.replace(/\/\/.*@/s, '//')
}
