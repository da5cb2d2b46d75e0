/** The composition root of the admin process: store, admin app, work on the lists and housekeeping, wired. */
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import { createAdmin } from '../admin/app.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { startHousekeeping } from '../housekeeping.ts'
import { reopenAuthority } from '../install-authority.ts'
import { followLists } from '../shared-lists/follow-lists.ts'
import { followSnapshot } from '../snapshot-follower.ts'
import { openStore } from '../store/open-store.ts'
import { createListWork } from '../updates/list-jobs.ts'
import { startSchedule } from '../updates/schedule.ts'
import type { Gather, Running } from './running.ts'

const clock = Date.now

/** `proxyAddress`: where the proxy really listens, for the help texts. `gather` must answer in a bounded time. */
export async function startAdmin(
  config: Config,
  logger: Logger,
  proxyAddress: AddressInfo,
  gather: Gather,
): Promise<Running> {
  const store = await openStore(config)
  const authority = await reopenAuthority(config, store, clock())
  const catalogue = loadCatalogue()
  // First: on a machine that has been away the snapshot may have to wait for its index.
  const exchange = followLists({ store, config, clock, logger })
  const current = await followSnapshot({ store, config, catalogue, clock, logger })
  // Of all that an installation has, its certificate is surely its own: other cities ask at other minutes.
  const seed = authority.fingerprint256
  const work = createListWork({ store, config, clock, logger, seed })
  const app = await createAdmin({
    store,
    catalogue,
    clock,
    config,
    logger,
    proxyAddress: `${config.proxy.host}:${proxyAddress.port}`,
    caFingerprint: authority.fingerprint256,
    work,
    current,
    gather,
  })
  await app.listen({ host: config.admin.host, port: config.admin.port })
  const housekeeping = startHousekeeping({ store, config, clock, logger })
  const schedule = startSchedule({ store, config, clock, logger, seed, work })
  return {
    address: app.server.address() as AddressInfo,
    async stop() {
      schedule.stop()
      housekeeping.stop()
      await exchange.stop()
      await work.close()
      await app.close()
      current.close()
      await store.close()
    },
  }
}
