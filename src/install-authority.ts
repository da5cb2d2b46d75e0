/** The city's CA: made at the first start, opened afterwards. Apart from `install.ts`, since few commands need it. */
import { join } from 'node:path'
import type { Config } from './config.ts'
import { DEFAULT_POLICY } from './policy/default-policy.ts'
import { CURRENT } from './policy/document.ts'
import type { Store } from './store/store.ts'
import { openAuthority, type Authority } from './tls/authority.ts'

/** The folder of the city's CA. */
export const authorityDir = (config: Config): string => join(config.dataDir, 'ca')

/** Opens the city's CA, made at the first start and named after the city of the policy then in force. */
export async function installAuthority(
  config: Config,
  store: Store,
  now: number,
): Promise<Authority> {
  const policy = await store.get('policy', CURRENT)
  const cityName = policy?.body.city.name ?? DEFAULT_POLICY.city.name
  return openAuthority(authorityDir(config), { cityName, now })
}
