/** The part of the configuration that a store in Redis needs. */
import { redisSchema } from '../../src/config-store.ts'
import type { StoreConfig } from '../../src/store/open-store.ts'

export function redisConfig(
  url: string,
  settings: Partial<NonNullable<StoreConfig['redis']>> = {},
): StoreConfig {
  return { store: url, dataDir: '/nonexistent', redis: { ...redisSchema.parse({}), ...settings } }
}
