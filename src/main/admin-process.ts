/** The composition root of the admin process: store, admin app, work on the lists and housekeeping, wired. */
import type { Server } from 'node:http'
import { Server as NetServer } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import type { Logger } from 'pino'
import { createAdmin } from '../admin/app.ts'
import type { ContextFor } from '../admin/own-tls.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { startHousekeeping } from '../housekeeping.ts'
import { listen, type ListenAt } from '../listening.ts'
import { followLists } from '../shared-lists/follow-lists.ts'
import { isSummed, type Sample } from '../metrics.ts'
import type { Authority } from '../tls/authority.ts'
import { createLeafCache } from '../tls/leaf-cache.ts'
import { createListWork } from '../updates/list-jobs.ts'
import { startSchedule } from '../updates/schedule.ts'
import { followBroughtSnapshot } from './brought-snapshot.ts'
import { CityAuthority, leavesOfCurrent } from './city-authority.ts'
import { Deadline } from './deadline.ts'
import { openStoreLate } from './late-store.ts'
import type { Gather, Running } from './running.ts'
import { WatchedStore } from './watched-store.ts'

const clock = Date.now
/** A request that was on its way when we stopped comes within this time. */
const SILENCE_MS = 1_000
const MAX_OWN_NAMES = 100

/** `config.proxy.port`: where the proxy really listens, for the help texts. `gather` must answer in a bounded time. */
export async function startAdmin(
  config: Config,
  logger: Logger,
  at: ListenAt,
  gather: Gather,
): Promise<Running> {
  const watched = new WatchedStore(await openStoreLate(config, logger), logger)
  const { store } = watched
  const city = await CityAuthority.follow({ config, store, clock, logger })
  const catalogue = loadCatalogue()
  // First: on a machine that has been away the snapshot may have to wait for its index.
  const exchange = followLists({ store, config, clock, logger })
  const current = await followBroughtSnapshot({ store, config, catalogue, clock, logger })
  // Of all that an installation has, its certificate is surely its own: other cities ask at other minutes.
  const seed = city.current?.fingerprint256 ?? config.dataDir
  const work = createListWork({ store, config, clock, logger, seed })
  const app = await createAdmin({
    store,
    catalogue,
    clock,
    config,
    logger,
    proxyAddress: `${config.proxy.host}:${config.proxy.port}`,
    caFingerprint: () => city.current?.fingerprint256,
    ...(city.current === undefined ? {} : { contextFor: contextsOf(city) }),
    work,
    current,
    ownSamples: () => [
      ...watched.samples().map(ofThisProcess),
      ofThisProcess({ name: 'preau_last_state_in_use', value: current.lastState ? 1 : 0 }),
      ...endOf(city.current),
    ],
    gather,
  })
  const address = await listen(app.server, at)
  const housekeeping = startHousekeeping({ store, config, clock, logger })
  const schedule = startSchedule({ store, config, clock, logger, seed, work })
  const deadline = new Deadline()
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    const closed = stopListening(app.server)
    endConnections(app.server)
    schedule.stop()
    housekeeping.stop()
    await exchange.stop()
    await Promise.race([closed, elapsed(SILENCE_MS), deadline.isUp])
    // Ends the live pages, and closes what is idle.
    await app.close()
    await Promise.race([Promise.all([closed, work.close()]), deadline.isUp])
    app.server.closeAllConnections()
    await work.close()
    await city.close()
    await current.close()
    watched.close()
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

/** The panel has few names and addresses. */
function contextsOf(city: CityAuthority): ContextFor {
  const leavesOf = leavesOfCurrent(city, authority =>
    createLeafCache(authority, { max: MAX_OWN_NAMES, perMinute: 0, clock }),
  )
  return async host => leavesOf().contextFor(host)
}

const endOf = (authority: Authority | undefined): Sample[] =>
  authority === undefined
    ? []
    : [{ name: 'preau_ca_end_seconds', value: authority.notAfter / 1_000 }]

/** A gauge of one worker has its place for a label; this process has none. */
const ofThisProcess = (sample: Sample): Sample =>
  isSummed(sample) ? sample : { ...sample, labels: { worker: 'admin', ...sample.labels } }

/**
 * Resolves when the last connection has gone. Not by the `close` of the HTTP server, which closes what is idle at once: a
 * form that is on its way on a kept connection would be lost (RFC 9112 §9.6).
 */
const stopListening = (server: Server): Promise<void> =>
  new Promise(resolve => NetServer.prototype.close.call(server, () => resolve()))

/** From now on each answer ends its connection. */
const endConnections = (server: Server): unknown =>
  server.prependListener('request', (_request, response) => {
    response.shouldKeepAlive = false
  })
