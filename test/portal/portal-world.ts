/** A portal on a real store behind a small HTTP server, for one test: a clock that is set by hand, a snapshot that follows. */
import { randomUUIDv7 } from 'node:crypto'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { configSchema, type Limits } from '../../src/config.ts'
import type { Grant, ScopeKind } from '../../src/policy/grant.ts'
import { parseAbsoluteForm, type Host } from '../../src/policy/host.ts'
import type { Refusal } from '../../src/policy/refusal.ts'
import { withGrants, type Current, type Snapshot } from '../../src/policy/snapshot.ts'
import { approve, refuse } from '../../src/policy/unblock-request.ts'
import { decide } from '../../src/policy/verdict.ts'
import { createPortal, type PortalDeps } from '../../src/portal/app.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { memoryPermits, type MemoryPermits } from '../support/memory-permits.ts'
import { over } from './broken-store.ts'
import { citySnapshot } from './city.ts'

const LIMITS = configSchema.parse({}).limits

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly ip?: string
  readonly scheme?: 'http' | 'https'
  readonly portal?: Served
}

export interface Served {
  readonly app: FastifyInstance
  readonly port: number
}

const same = (store: Store): Store => store

export class PortalWorld {
  /** A Monday, 10:42 in Paris. */
  now = Date.parse('2026-03-02T09:42:00Z')
  readonly clock = (): number => this.now
  readonly listeners = new Set<() => void>()
  /** The limits that people ran into. */
  readonly limited: string[] = []
  snapshot = citySnapshot()
  readonly store: Store
  readonly permits: MemoryPermits
  portal!: Served
  readonly #isReal: boolean
  readonly #refusals = new WeakMap<IncomingMessage, Refusal>()

  readonly current: Current

  private constructor(store: Store, isReal: boolean) {
    this.#isReal = isReal
    this.permits = memoryPermits(this.clock)
    // The real one counts on a clock of its own, which nobody sets.
    this.store = isReal ? store : over(store, { permits: this.permits })
    const read = (): Snapshot => this.snapshot
    this.current = {
      get snapshot() {
        return read()
      },
      onSwap: listener => {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
      },
    }
  }

  /**
   * Opens a world. `wrap` may stand between the portal and the real store, to break it. `store`: in place of a fresh one,
   * with its own permits.
   */
  static async open(
    t: Test,
    options: {
      limits?: Partial<Limits>
      wrap?: (store: Store) => Store
      caPem?: string
      nextPem?: string
      store?: Store
      logger?: PortalDeps['logger']
    } = {},
  ): Promise<PortalWorld> {
    const { wrap = same, store, ...rest } = options
    const opened = store ?? (await openSqliteStore(join(t.testdir(), 'preau.db')))
    const world = new PortalWorld(opened, store !== undefined)
    world.portal = await world.#serve(t, wrap(world.store), rest)
    t.teardown(() => opened.close())
    return world
  }

  /** Another process: a portal of its own on the same store, or on the one that `wrap` answers. */
  secondPortal(
    t: Test,
    options: {
      wrap?: (store: Store) => Store
      limits?: Partial<Limits>
      clock?: () => number
    } = {},
  ): Promise<Served> {
    const { wrap = same, limits = {}, clock } = options
    const opened = wrap(this.store)
    const store = this.#isReal ? opened : over(opened, { permits: this.permits })
    return this.#serve(t, store, { limits, ...(clock === undefined ? {} : { clock }) })
  }

  async #serve(
    t: Test,
    store: Store,
    options: {
      limits?: Partial<Limits>
      caPem?: string
      nextPem?: string
      clock?: () => number
      logger?: PortalDeps['logger']
    },
  ): Promise<Served> {
    const app = await createPortal({
      store,
      current: this.current,
      clock: options.clock ?? this.clock,
      limits: { ...LIMITS, ...options.limits },
      refusalOf: raw => this.#refusals.get(raw),
      certificates: () => ({ inUse: options.caPem, next: options.nextPem }),
      logger: options.logger ?? false,
      onLimit: limit => this.limited.push(limit),
    })
    await app.ready()
    const server = createServer((request, response) => this.#hand(app, request, response))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.teardown(async () => {
      await app.close()
      server.closeAllConnections()
      server.close()
    })
    return { app, port: (server.address() as AddressInfo).port }
  }

  // What the proxy does: names the client, judges, keeps the refusal beside the request, hands the request over.
  #hand(
    app: FastifyInstance,
    request: IncomingMessage,
    response: Parameters<FastifyInstance['routing']>[1],
  ): void {
    const scheme = request.headers['x-test-scheme'] === 'https' ? 'https' : 'http'
    const ip = (request.headers['x-test-ip'] ?? '10.1.3.7') as Host
    const asked = parseAbsoluteForm(request.url ?? '')
    const host = (request.headers['x-test-target'] ?? asked?.target.host ?? '') as Host
    for (const name of ['x-test-scheme', 'x-test-ip', 'x-test-target']) delete request.headers[name]
    if (host !== '') {
      // Inside TLS the path is hidden.
      const page = scheme === 'https' || asked === undefined ? {} : { path: asked.path }
      const target = { host, port: scheme === 'https' ? 443 : 80, ...page }
      const client = this.snapshot.networks(ip)
      const verdict = decide(this.snapshot, client, target, this.now)
      if (verdict.action === 'allow') {
        response.end('the site itself')
        return
      }
      this.#refusals.set(request, { client, target, verdict, scheme })
    }
    app.routing(request, response)
  }

  /** Opens a request for `http(s)://host/path` as the given PC; the answer's body is not read yet. */
  async open(
    url: string,
    { method = 'GET', headers = {}, body, ip, scheme, portal }: Ask = {},
  ): Promise<IncomingMessage> {
    const match = /^(https?):\/\/(\[[^\]]*\]|[^/?#]*)(.*)$/s.exec(url)
    const usedScheme = scheme ?? match?.[1] ?? 'http'
    const outgoing = httpRequest({
      port: (portal ?? this.portal).port,
      host: '127.0.0.1',
      method,
      // As the proxy receives it: absolute form in plain HTTP, origin form inside TLS.
      path: usedScheme === 'http' ? url : match?.[3] || '/',
      agent: false,
      headers: {
        'x-test-scheme': usedScheme,
        'x-test-target': match?.[2]?.replace(/^\[|\]$/g, '') ?? '',
        ...(ip === undefined ? {} : { 'x-test-ip': ip }),
        ...headers,
      },
    })
    // After the answer began, a cut upload is the business of whoever reads it.
    outgoing.on('error', () => undefined)
    outgoing.end(body)
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    return answer
  }

  async ask(url: string, options: Ask = {}): Promise<Answer> {
    const answer = await this.open(url, options)
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: Buffer.concat(chunks).toString(),
    }
  }

  /** The click on the button of the page at `url`. */
  click(url: string, { headers = {}, ...options }: Ask = {}): Promise<Answer> {
    const { origin } = new URL(url)
    return this.ask(`${origin}/.preau/unblock`, {
      method: 'POST',
      ...options,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin,
        referer: url,
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
    })
  }

  clickJson(url: string, options: Ask = {}): Promise<Answer> {
    return this.click(url, {
      ...options,
      headers: { accept: 'application/json', ...options.headers },
    })
  }

  requests() {
    return this.store.list('request')
  }

  async #onlyRequest() {
    const [stored] = await this.requests()
    if (stored === undefined) throw new Error('no request')
    return stored
  }

  async see(): Promise<void> {
    const { id, version, body } = await this.#onlyRequest()
    const note = { by: 'dsi', action: 'request.see', at: this.now }
    await this.store.commit(note, [
      { kind: 'request', id, expects: version, body: { ...body, seenAt: this.now } },
    ])
  }

  async refuse(reason: string, againAt?: number): Promise<void> {
    const stored = await this.#onlyRequest()
    const note = { by: 'dsi', action: 'request.refuse', at: this.now }
    await this.store.commit(
      note,
      refuse(stored, {
        by: 'dsi',
        reason,
        now: this.now,
        ...(againAt === undefined ? {} : { againAt }),
      }),
    )
  }

  async approve(scope: ScopeKind = 'site'): Promise<void> {
    const stored = await this.#onlyRequest()
    const approval = {
      grantId: randomUUIDv7(),
      scope,
      duration: 'hour',
      by: 'dsi',
      now: this.now,
      timeZone: 'Europe/Paris',
    } as const
    await this.store.commit(
      { by: 'dsi', action: 'request.approve', at: this.now },
      approve(stored, approval),
    )
  }

  /** What every process does after a commit: takes the grants of the store into the snapshot. */
  async swap(): Promise<void> {
    const grants = (await this.store.list('grant')).map(({ body }): Grant => body)
    this.snapshot = withGrants(this.snapshot, grants)
    for (const listener of this.listeners) listener()
  }
}
