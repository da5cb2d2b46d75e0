/** The composition root of the admin process: store, admin app, work on the lists and housekeeping, wired. */
import type { Server } from 'node:http'
import type { Logger } from 'pino'
import { createAdmin } from '../admin/app.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { startHousekeeping } from '../housekeeping.ts'
import { listen, type ListenAt } from '../listening.ts'
import { followLists } from '../shared-lists/follow-lists.ts'
import { followSnapshot } from '../snapshot-follower.ts'
import { createListWork } from '../updates/list-jobs.ts'
import { startSchedule } from '../updates/schedule.ts'
import { Deadline } from './deadline.ts'
import { openStoreLate } from './late-store.ts'
import type { Gather, Running } from './running.ts'
import { workerAuthority } from './worker-authority.ts'

const clock = Date.now

/** `config.proxy.port`: where the proxy really listens, for the help texts. `gather` must answer in a bounded time. */
export async function startAdmin(
  config: Config,
  logger: Logger,
  at: ListenAt,
  gather: Gather,
): Promise<Running> {
  const store = await openStoreLate(config, logger)
  const authority = await workerAuthority(config, store, clock(), logger)
  const catalogue = loadCatalogue()
  // First: on a machine that has been away the snapshot may have to wait for its index.
  const exchange = followLists({ store, config, clock, logger })
  const current = await followSnapshot({ store, config, catalogue, clock, logger })
  // Of all that an installation has, its certificate is surely its own: other cities ask at other minutes.
  const seed = authority?.fingerprint256 ?? config.dataDir
  const work = createListWork({ store, config, clock, logger, seed })
  const app = await createAdmin({
    store,
    catalogue,
    clock,
    config,
    logger,
    proxyAddress: `${config.proxy.host}:${config.proxy.port}`,
    caFingerprint: authority?.fingerprint256,
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
    await exchange.stop()
    // Ends the live pages; from here on each answer ends its connection.
    await app.close()
    await Promise.race([Promise.all([closed, work.close()]), deadline.isUp])
    app.server.closeAllConnections()
    await work.close()
    await current.close()
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
