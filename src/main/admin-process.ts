/** The composition root of the admin process: store, admin app, work on the lists and housekeeping, wired. */
import type { Server } from 'node:http'
import type { Logger } from 'pino'
import { createAdmin } from '../admin/app.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { startHousekeeping } from '../housekeeping.ts'
import { installAuthority } from '../install-authority.ts'
import { listen, type ListenAt } from '../listening.ts'
import { followSnapshot } from '../snapshot-follower.ts'
import { openStore } from '../store/open-store.ts'
import { createListWork } from '../updates/list-jobs.ts'
import { startSchedule } from '../updates/schedule.ts'
import { Deadline } from './deadline.ts'
import type { Gather, Running } from './running.ts'

const clock = Date.now

/** `config.proxy.port`: where the proxy really listens, for the help texts. `gather` must answer in a bounded time. */
export async function startAdmin(
  config: Config,
  logger: Logger,
  at: ListenAt,
  gather: Gather,
): Promise<Running> {
  const store = await openStore(config)
  const authority = await installAuthority(config, store, clock())
  const catalogue = loadCatalogue()
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
    proxyAddress: `${config.proxy.host}:${config.proxy.port}`,
    caFingerprint: authority.fingerprint256,
    work,
    current,
    gather,
  })
  const address = await listen(app.server, at)
  const housekeeping = startHousekeeping({ store, config, clock, logger })
  const schedule = startSchedule({ store, config, clock, logger, seed, work })
  const deadline = new Deadline()
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    const closed = stopListening(app.server)
    schedule.stop()
    housekeeping.stop()
    // Ends the live pages; from here on each answer ends its connection.
    await app.close()
    await Promise.race([Promise.all([closed, work.close()]), deadline.isUp])
    app.server.closeAllConnections()
    await work.close()
    current.close()
    await store.close()
    deadline.clear()
  }
  return {
    address,
    stop(drainMs) {
      deadline.bring(drainMs)
      return (stopped ??= stop())
    },
  }
}

/** Resolves when the last connection has gone; Node closes the idle ones by itself. */
const stopListening = (server: Server): Promise<void> =>
  new Promise(resolve => server.close(() => resolve()))
