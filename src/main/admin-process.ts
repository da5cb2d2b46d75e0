/** The composition root of the admin process: store, admin app and housekeeping, wired. */
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { createAdmin } from '../admin/app.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { startHousekeeping } from '../housekeeping.ts'
import { installAuthority } from '../install-authority.ts'
import { openStore } from '../store/open-store.ts'
import type { Running } from './running.ts'

const clock = Date.now

/** `proxyAddress`: where the proxy really listens, for the help texts. */
export async function startAdmin(
  config: Config,
  logger: Logger,
  proxyAddress: AddressInfo,
): Promise<Running> {
  const store = await openStore(config)
  const authority = await installAuthority(config, store, clock())
  const app = await createAdmin({
    store,
    catalogue: loadCatalogue(),
    clock,
    config,
    logger,
    proxyAddress: `${config.proxy.host}:${proxyAddress.port}`,
    caFingerprint: authority.fingerprint256,
  })
  await app.listen({ host: config.admin.host, port: config.admin.port })
  const housekeeping = startHousekeeping({ store, config, clock, logger })
  return {
    address: app.server.address() as AddressInfo,
    async stop() {
      housekeeping.stop()
      await app.close()
      await store.close()
    },
  }
}
