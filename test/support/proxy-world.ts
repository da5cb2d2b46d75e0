/** A real proxy on loopback with real origins; only the portal is a stand-in. Names under `.test` lead to loopback. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Test } from 'tap'
import type { z } from 'zod'
import { configSchema, type Config } from '../../src/config.ts'
import type { AccessLogEntry } from '../../src/access-log/access-log.ts'
import type { Refusal } from '../../src/policy/refusal.ts'
import { createDial } from '../../src/proxy/dial.ts'
import { createForward } from '../../src/proxy/forward.ts'
import { openParents } from '../../src/proxy/open-parents.ts'
import type { ParentFault } from '../../src/proxy/parent-health.ts'
import type { Parent } from '../../src/proxy/ways.ts'
import type { Host } from '../../src/policy/host.ts'
import { createIntercept, type RefuseRequest } from '../../src/proxy/intercept.ts'
import { isOwnAddress } from '../../src/main/own-address.ts'
import { createResolver } from '../../src/proxy/resolver.ts'
import { ProxyServer } from '../../src/proxy/server.ts'
import { Shares } from '../../src/proxy/shares.ts'
import { openAuthority } from '../../src/tls/authority.ts'
import { createLeafCache } from '../../src/tls/leaf-cache.ts'
import { aCurrent, aSnapshot, type SnapshotChange, type Swappable } from './snapshot.ts'

type ConfigInput = z.input<typeof configSchema>

const NAMES = ['free.test', 'other.test', 'games.test', 'adult.test', 'shop.test', 'www.games.test']

export interface ProxyWorld {
  readonly port: number
  readonly proxy: ProxyServer
  readonly current: Swappable
  readonly caPem: string
  /** What closed, each with what its line in the access log says. */
  readonly log: AccessLogEntry[]
  /** How many of them have no line. */
  readonly untold: number
  readonly refused: Refusal[]
  /** The limits that clients ran into. */
  readonly limited: string[]
  /** What became of the parent proxies: `<name> <fault>`, or `<name> well`. */
  readonly parentChanges: string[]
  /** Sends raw bytes and answers all that comes back until the proxy closes or `until` appears. */
  raw(bytes: string | Buffer, until?: string | RegExp): Promise<string>
  /** `from`: the address of the PC, one of loopback. */
  open(from?: string): Promise<Socket>
  /** PCs that asked for too much, and how often they were refused without a line. */
  readonly floods: { ip: string; times: number }[]
  /** Names that the DNS is being asked for. */
  lookups(): number
}

export interface WorldOptions extends SnapshotChange {
  readonly limits?: Partial<Config['limits']>
  readonly connectPorts?: Config['proxy']['connectPorts']
  readonly httpPorts?: Config['proxy']['httpPorts']
  /** The names that lead to loopback, `free.test` and some others if absent; false: all go through the resolver. */
  readonly names?: readonly string[] | false
  /** DNS servers for all other names. */
  readonly dnsServers?: readonly string[]
  /** How long an answer of theirs is kept. */
  readonly dnsTtlMs?: number
  /** In place of the stand-in for the portal. */
  readonly refuse?: RefuseRequest
  readonly withoutCa?: boolean
  readonly clock?: () => number
  readonly dialAllow?: string[]
  /** As in the configuration. */
  readonly parents?: ConfigInput['parents']
  /** Ports of this machine that are Préau's own, beside that of the proxy. */
  readonly ownPorts?: number[]
}

export async function openProxyWorld(t: Test, options: WorldOptions = {}): Promise<ProxyWorld> {
  const names = options.names === false ? [] : (options.names ?? NAMES)
  const hosts = Object.fromEntries(names.map(name => [name, '127.0.0.1']))
  const config = configSchema.parse({
    proxy: {
      connectPorts: options.connectPorts ?? ['1024-65535'],
      httpPorts: options.httpPorts ?? [80, '1024-65535'],
    },
    dial: { hosts, allow: options.dialAllow ?? [] },
    limits: options.limits ?? {},
    parents: options.parents ?? {},
  })
  const current = aCurrent(aSnapshot({ ...options, allow: options.dialAllow ?? [] }))
  const clock = options.clock ?? Date.now
  const authority = await openAuthority(t.testdir(), { cityName: 'Testville', now: clock() })
  const perMinute = options.limits?.leafCertificatesPerMinute ?? 0
  const leaves = createLeafCache(authority, { max: 100, perMinute, clock })
  const own = new Set<number>(options.ownPorts)
  const resolver = createResolver({
    servers: options.dnsServers ?? [],
    maxEntries: 100,
    ttlMs: options.dnsTtlMs ?? 1_000,
    timeoutMs: 2_000,
    shares: new Shares({
      all: config.limits.lookups,
      perPc: config.limits.lookupsPerClient,
      schools: () => current.snapshot.schools,
    }),
    onLimit: limit => onLimit(limit),
  })
  const { addresses } = current.snapshot
  const isOwn = (address: Host, at: number): boolean => own.has(at) && isOwnAddress(address)
  const common = { hosts: config.dial.hosts, addresses, resolver, isOwn }
  const { dialTimeoutMs } = config.limits
  const dial = createDial({ ...common, timeoutMs: dialTimeoutMs })
  const parentChanges: string[] = []
  const onChange = ({ name }: Parent, fault: ParentFault | undefined): void =>
    void parentChanges.push(`${name} ${fault ?? 'well'}`)
  const through = openParents(config.parents, { ...common, dialTimeoutMs, direct: dial, onChange })
  const refused: Refusal[] = []
  const log: AccessLogEntry[] = []
  let untold = 0
  const floods: ProxyWorld['floods'] = []
  const limited: string[] = []
  const onLimit = (limit: string): void => void limited.push(limit)
  const refuse: RefuseRequest = (request, response, refusal) => {
    refused.push(refusal)
    if (options.refuse !== undefined) {
      options.refuse(request, response, refusal)
      return
    }
    response
      .writeHead(403, refusal.scheme === 'https' ? { connection: 'close' } : {})
      .end('refused page')
  }
  const proxy = new ProxyServer({
    config,
    current,
    clock,
    dial: through?.dialTunnel ?? dial,
    forward: createForward({ dial, ...through, ...config.limits, onLimit }),
    intercept: options.withoutCa
      ? undefined
      : createIntercept({
          contextFor: host => leaves.contextFor(host),
          refuse,
          current,
          clock,
          limits: config.limits,
          onLimit,
        }),
    refuse,
    renderFailure: error => `<p>${error.code}</p>`,
    onClose: exchange => {
      log.push(exchange.entry())
      if (!exchange.isTold) untold++
    },
    onLimit,
    onFlood: ({ ip }, times) => floods.push({ ip, times }),
  })
  proxy.server.listen(0, '127.0.0.1')
  await once(proxy.server, 'listening')
  const { port } = proxy.server.address() as AddressInfo
  own.add(port)
  const sockets = new Set<Socket>()
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    through?.parents.close()
    proxy.close()
    proxy.server.close()
  })
  const open = async (from = '127.0.0.1'): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true })
    sockets.add(socket)
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  const raw = async (bytes: string | Buffer, until?: string | RegExp): Promise<string> => {
    const socket = await open()
    socket.write(bytes)
    return readUntil(socket, until)
  }
  const lookups = (): number => resolver.pending
  const { caPem } = authority
  const told = { log, refused, limited, floods, parentChanges }
  const world = { port, proxy, current, caPem, ...told, raw, open, lookups }
  return Object.defineProperty(world, 'untold', { get: () => untold }) as ProxyWorld
}

/** What a socket says until its end, or until `until` is found; at most half a minute, which is for a busy machine. */
export async function readUntil(socket: Socket, until?: string | RegExp): Promise<string> {
  let text = ''
  const timer = setTimeout(() => socket.destroy(), 30_000)
  const isThere = (): boolean =>
    typeof until === 'string' ? text.includes(until) : (until?.test(text) ?? false)
  await new Promise<void>(resolve => {
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      if (isThere()) done()
    }
    const done = (): void => {
      socket.off('data', onData).off('end', done).off('close', done)
      resolve()
    }
    socket.on('data', onData)
    socket.once('end', done)
    socket.once('close', done)
  })
  clearTimeout(timer)
  return Buffer.from(text, 'latin1').toString()
}

export interface Origin {
  readonly port: number
  readonly server: Server
  /** Raw heads of the requests it got: method, URL and raw headers. */
  readonly requests: {
    method: string
    url: string
    headers: IncomingMessage['headers']
    rawHeaders: string[]
    body: string
  }[]
}

/** An HTTP origin that remembers what reached it. */
export async function openOrigin(t: Test, answer?: RequestListener): Promise<Origin> {
  const requests: Origin['requests'] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    const seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body: '',
    }
    requests.push(seen)
    if (answer) {
      answer(request, response)
      return
    }
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.body = Buffer.concat(chunks).toString()
      response.end(`hello ${request.url}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, server, requests }
}

/** Waits until something is true; gives up after half a minute, which is for a busy machine. */
export async function eventually(isTrue: () => boolean, withinMs = 30_000): Promise<void> {
  const until = Date.now() + withinMs
  while (!isTrue() && Date.now() < until) await new Promise(resolve => setTimeout(resolve, 5))
}
