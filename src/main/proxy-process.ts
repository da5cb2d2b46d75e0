/** The composition root of a proxy worker: store, snapshot, portal and proxy, wired. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { SecureContext } from 'node:tls'
import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import { openAccessLog, type AccessLog, type AccessLogEntry } from '../access-log/access-log.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { accessLogDir } from '../install.ts'
import { listen, type ListenAt } from '../listening.ts'
import { hasCode } from '../errors.ts'
import type { Sample } from '../metrics.ts'
import { createAddressJudge, parseCidr } from '../policy/address.ts'
import type { Host } from '../policy/host.ts'
import type { Client } from '../policy/network.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import { createPortal } from '../portal/app.ts'
import { renderFailure } from '../portal/failure-page.ts'
import { createDial } from '../proxy/dial.ts'
import { createForward } from '../proxy/forward.ts'
import { createIntercept, type Intercept, type RefuseRequest } from '../proxy/intercept.ts'
import { openParents } from '../proxy/open-parents.ts'
import type { Parents } from '../proxy/parents.ts'
import { createResolver } from '../proxy/resolver.ts'
import { ProxyServer } from '../proxy/server.ts'
import { Shares } from '../proxy/shares.ts'
import { CityAuthority, leavesOfCurrent } from './city-authority.ts'
import { drainProxy } from './drain-proxy.ts'
import { openStoreLate } from './late-store.ts'
import { isOwnAddress } from './own-address.ts'
import type { Running } from './running.ts'
import type { ReachedLimit } from './tally.ts'
import { WatchedStore } from './watched-store.ts'
import { createWorkerMetrics, type WorkerMetrics } from './worker-metrics.ts'
import { followSnapshot } from '../snapshot/follower.ts'
import type { Store } from '../store/store.ts'
import { createLeafCache } from '../tls/leaf-cache.ts'

const clock = Date.now
const LAST_LINES_MS = 1_000

/** Starts one proxy worker: store, snapshot, portal and proxy. */
export async function startProxy(config: Config, logger: Logger, at: ListenAt): Promise<Running> {
  const watched = new WatchedStore(await openStoreLate(config, logger), logger)
  const { store } = watched
  const catalogue = loadCatalogue()
  const current = await followSnapshot({ store, config, catalogue, clock, logger })
  const city = await CityAuthority.follow({ config, store, clock, logger })
  const accessLog = openAccessLog({
    dir: accessLogDir(config),
    timeZone: () => current.snapshot.city.timeZone,
    clock,
    onLost: lines => metrics.lostLines(lines),
  })
  const metrics = createWorkerMetrics(catalogue.keys(), logger)
  const { onLimit } = metrics
  const onRefusal = { store, current, config, city, logger, onLimit }
  const { portal, refuse } = await wirePortal(onRefusal)
  const parts = { config, at, current, city, refuse, accessLog, metrics }
  const { proxy, address, parents } = await wireProxy(parts)
  const drain = drainProxy(proxy, () => portal.close())
  return {
    address,
    readMetrics: async () => [
      ...(await metrics.read(proxy)),
      ...watched.samples(),
      ...parentSamples(parents),
      { name: 'preau_last_state_in_use', value: current.lastState === undefined ? 0 : 1 },
      { name: 'preau_ca_usable', value: city.current === undefined ? 0 : 1 },
    ],
    async stop(drainMs) {
      await drain(drainMs)
      // The access log must not end before the exchanges that it tells of.
      await Promise.race([proxy.close(), elapsed(LAST_LINES_MS)])
      await city.close()
      await current.close()
      await accessLog.close()
      metrics.close()
      parents?.close()
      watched.close()
      await store.close()
    },
  }
}

const parentSamples = (parents: Parents | undefined): Sample[] =>
  (parents?.health.standings ?? []).map(({ name, isWell }) => ({
    name: 'preau_parent_up',
    labels: { parent: name },
    value: isWell ? 1 : 0,
  }))

interface PortalParts {
  readonly store: Store
  readonly current: Current
  readonly config: Config
  readonly city: CityAuthority
  readonly logger: Logger
  readonly onLimit: (limit: ReachedLimit) => void
}

/** The portal never listens: refused requests are handed to it, each with what the exchange knows. */
async function wirePortal({ city, config, ...parts }: PortalParts) {
  const refusals = new WeakMap<IncomingMessage, Refusal>()
  const portal = await createPortal({
    ...parts,
    clock,
    limits: config.limits,
    refusalOf: raw => refusals.get(raw),
    certificates: () => ({ inUse: city.current?.caPem, next: city.nextPem }),
  })
  await portal.ready()
  const refuse: RefuseRequest = (request, response, refusal) => {
    refusals.set(request, refusal)
    portal.routing(request, response)
  }
  return { portal, refuse }
}

interface ProxyParts {
  readonly config: Config
  readonly at: ListenAt
  readonly current: Current
  readonly city: CityAuthority
  readonly refuse: RefuseRequest
  readonly accessLog: AccessLog
  readonly metrics: WorkerMetrics
}

async function wireProxy(parts: ProxyParts) {
  const { config, at, current, city, refuse, accessLog, metrics } = parts
  const { onLimit } = metrics
  const { limits } = config
  const ownPorts = new Set([config.admin.port])
  const isOwn = (address: Host, port: number): boolean =>
    ownPorts.has(port) && isOwnAddress(address)
  const { dial, parents, dialTunnel } = wireDials(parts, isOwn)
  const proxy = new ProxyServer({
    config,
    current,
    clock,
    decide: metrics.decide,
    dial: dialTunnel ?? dial,
    forward: createForward({ dial, parents, dialTunnel, onLimit, ...limits }),
    intercept: city.current && wireIntercept(parts),
    refuse,
    renderFailure,
    onClose(exchange) {
      const entry = exchange.entry()
      if (exchange.isTold) accessLog.write(entry)
      metrics.count(exchange, entry)
    },
    onFlood: (client, times) => accessLog.write(floodOf(client, times)),
    onLimit,
  })
  const address = await listen(proxy.server, at)
  ownPorts.add(address.port)
  return { proxy, address, parents }
}

/** What a PC asked for in a minute beyond its allowance, in one line. */
const floodOf = ({ ip, site, room, profile }: Client, times: number): AccessLogEntry => ({
  exchange: '',
  ip,
  site,
  room,
  profile,
  method: '',
  host: '',
  port: 0,
  verdict: 'none',
  reason: 'PREAU_TOO_MANY_REQUESTS',
  status: 429,
  bytesUp: 0,
  bytesDown: 0,
  durationMs: 0,
  times,
})

function wireIntercept({
  config: { limits },
  current,
  city,
  refuse,
  metrics,
}: ProxyParts): Intercept {
  const { onLimit } = metrics
  const max = limits.leafCertificates
  const perMinute = limits.leafCertificatesPerMinute
  const leavesOf = leavesOfCurrent(city, authority =>
    createLeafCache(metrics.counted(authority), { max, perMinute, clock }),
  )
  const contextFor = async (host: Host): Promise<SecureContext> => {
    try {
      return await leavesOf().contextFor(host)
    } catch (error) {
      if (hasCode(error, 'PREAU_OVERLOADED')) onLimit('leafCertificatesPerMinute')
      throw error
    }
  }
  return createIntercept({ contextFor, refuse, current, clock, limits, onLimit })
}

/** The ways to the web: the direct one, and those through parent proxies where there are any. */
function wireDials(
  { config, current, metrics }: ProxyParts,
  isOwn: (address: Host, port: number) => boolean,
) {
  const { dial, limits } = config
  const resolver = createResolver({
    servers: dial.servers,
    maxEntries: limits.dnsCacheEntries,
    ttlMs: limits.dnsTtlMs,
    timeoutMs: limits.dialTimeoutMs,
    shares: new Shares({
      all: limits.lookups,
      perPc: limits.lookupsPerClient,
      schools: () => current.snapshot.schools,
    }),
    onLimit: metrics.onLimit,
    onMute: metrics.onMute,
  })
  metrics.watchLookups(() => resolver.pending)
  const addresses = createAddressJudge(dial.allow.flatMap(text => parseCidr(text) ?? []))
  const common = { hosts: dial.hosts, resolver, isOwn }
  const direct = metrics.timed(
    createDial({ ...common, addresses, timeoutMs: limits.dialTimeoutMs }),
  )
  const { dialTimeoutMs } = limits
  const { onParent: onChange } = metrics
  const through = { ...common, addresses, dialTimeoutMs, direct, onChange }
  return { dial: direct, ...openParents(config.parents, through) }
}
