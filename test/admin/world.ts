/** A small city with its admin app, on a store of its own: what every test of this folder starts from. */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { randomBytes, randomUUIDv7, scryptSync } from 'node:crypto'
import { join } from 'node:path'
import { userId } from '../../src/admin/accounts.ts'
import { createAdmin, type AdminDeps } from '../../src/admin/app.ts'
import { loadConfig, type Config } from '../../src/config.ts'
import { CURRENT } from '../../src/policy/document.ts'
import type { Host } from '../../src/policy/host.ts'
import type { Grant } from '../../src/policy/grant.ts'
import type { Catalogue } from '../../src/policy/category.ts'
import type { PolicyDocument } from '../../src/policy/policy-document.ts'
import { latestKeyOf, type UnblockRequest } from '../../src/policy/unblock-request.ts'
import type { Role } from '../../src/policy/account.ts'
import type { Sample } from '../../src/metrics.ts'
import type { Store } from '../../src/store/store.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { over } from '../portal/broken-store.ts'
import { memoryPermits } from '../support/memory-permits.ts'
import { aCurrent, createWork, type FakeWork } from './fake-work.ts'

export const PASSWORD = 'une phrase assez longue'
export const START = Date.UTC(2026, 8, 14, 8, 40)
const MINUTE_MS = 60_000
/** As `hashPassword` makes it, but at a thousandth of its work: hundreds of sign-ins of the tests verify it. */
const HASHED = (() => {
  const salt = randomBytes(16)
  const key = scryptSync(PASSWORD, salt, 32, { N: 32, r: 8, p: 1 })
  return `scrypt$32$8$1$${salt.toString('base64')}$${key.toString('base64')}`
})()

const category = (id: string, severity: 'never' | 'blockable' | 'warnable', fr: string) =>
  [
    id,
    { id, severity, label: { fr, en: id }, description: { fr: `${fr}.`, en: id } } as const,
  ] as const
export const CATALOGUE: Catalogue = new Map([
  category('games', 'blockable', 'Jeux en ligne'),
  category('social_networks', 'blockable', 'Réseaux sociaux'),
  category('shopping', 'warnable', 'Achats en ligne'),
  category('adult', 'never', 'Sites pour adultes'),
])

const room = (name: string, profile: string, network: string) => ({
  name,
  profile,
  networks: [network],
})
export const POLICY: PolicyDocument = {
  version: 1,
  city: { name: 'Ville de Saint-Aubin', timeZone: 'Europe/Paris' },
  profiles: [
    {
      id: 'pupils',
      label: { fr: 'Élèves', en: 'Pupils' },
      mode: 'open',
      addresses: 'block',
      tunnels: 'tls',
      webSockets: 'allow',
      blocked: ['games', 'social_networks'],
      warned: ['shopping'],
      hours: [{ days: ['mon', 'tue', 'thu', 'fri'], from: '08:00', to: '18:00' }],
    },
    {
      id: 'teachers',
      label: { fr: 'Enseignants', en: 'Teachers' },
      mode: 'open',
      addresses: 'allow',
      tunnels: 'tls',
      webSockets: 'allow',
      blocked: ['social_networks'],
      warned: [],
      hours: null,
    },
  ],
  sites: [
    {
      uai: '0590001A',
      name: 'École Jean-Moulin',
      rooms: [room('Salle 1', 'pupils', '10.1.1.0/24'), room('Salle 2', 'pupils', '10.1.2.0/24')],
    },
    { uai: '0590002B', name: 'École Marie-Curie', rooms: [room('CM2', 'pupils', '10.2.1.0/24')] },
    { uai: '0590003C', name: 'École des Tilleuls', rooms: [room('BCD', 'pupils', '10.3.1.0/24')] },
  ],
  expressions: [],
  rules: [
    { host: 'lumni.fr' as Host, action: 'allow', reason: 'Ressource de l’Éducation nationale' },
  ],
}

export type Wish = Partial<Omit<UnblockRequest, 'askers'>> & {
  readonly askers?: readonly (readonly [ip: string, room: string, minutesAgo: number])[]
}

/** Signs in and sends forms as a browser would: the cookies, the form token, the origin. */
export interface Browser {
  get(url: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
  post(
    url: string,
    form?: Record<string, string>,
    options?: Partial<InjectOptions>,
  ): Promise<LightMyRequestResponse>
  signIn(name: string, password?: string): Promise<LightMyRequestResponse>
  cookies: Map<string, string>
  csrf: string
}

export interface World {
  readonly app: FastifyInstance
  readonly store: Store
  readonly clock: { now: number }
  readonly config: Config
  readonly work: FakeWork
  ask(wish?: Wish): Promise<string>
  grant(grant?: Partial<Grant>): Promise<string>
  user(name: string, role: Role, options?: { disabled?: boolean }): Promise<void>
  browser(address?: string): Browser
  /** A browser that is signed in. */
  as(name: string): Promise<Browser>
}

export interface WorldOptions {
  readonly store?: Store
  readonly catalogue?: Catalogue
  readonly now?: number
  readonly realClock?: boolean
  readonly limits?: Record<string, number>
  readonly lists?: Partial<Config['lists']>
  readonly admin?: Partial<Config['admin']>
  readonly dataDir?: string
  readonly current?: AdminDeps['current']
  readonly gather?: AdminDeps['gather']
  readonly contextFor?: AdminDeps['contextFor']
}

/** What a supervisor of one worker tells at the least. */
const ALL_WELL: readonly Sample[] = [
  { name: 'preau_workers', value: 1 },
  { name: 'preau_workers_up', value: 1 },
]

interface Scope {
  testdir(): string
  teardown(end: () => unknown): void
}

export async function openWorld(t: Scope, options: WorldOptions = {}): Promise<World> {
  const clock = { now: options.now ?? START }
  const read = options.realClock ? Date.now : () => clock.now
  const store =
    options.store ??
    // The real one counts on a clock of its own, which nobody sets.
    over(await openSqliteStore(join(t.testdir(), 'preau.db')), { permits: memoryPermits(read) })
  const defaults = loadConfig(undefined, {})
  const config = {
    ...defaults,
    limits: { ...defaults.limits, ...options.limits },
    lists: { ...defaults.lists, ...options.lists },
    // What tests write by hand in place of its address.
    admin: { ...defaults.admin, names: ['a'], ...options.admin },
    dataDir: options.dataDir ?? defaults.dataDir,
  }
  const work = createWork()
  const catalogue = options.catalogue ?? CATALOGUE
  const app = await createAdmin({
    store,
    catalogue,
    clock: read,
    config,
    logger: false,
    proxyAddress: '127.0.0.1:3128',
    caFingerprint: () => '8F:1C:AA:02',
    work,
    current: options.current ?? aCurrent(POLICY, catalogue),
    gather: options.gather ?? (async () => ALL_WELL),
    ...(options.contextFor && { contextFor: options.contextFor }),
  })
  t.teardown(async () => {
    await app.close()
    await store.close()
  })
  if ((await store.get('policy', CURRENT)) === undefined) {
    await store.commit({ by: 'system', action: 'policy.default', at: read() }, [
      { kind: 'policy', id: CURRENT, body: POLICY },
    ])
  }
  const world: World = {
    app,
    store,
    clock,
    config,
    work,
    ask: wish => ask(store, read(), wish),
    grant: grant => putGrant(store, read(), grant),
    async user(name, role, { disabled = false } = {}) {
      const body = { name, role, password: HASHED, at: read(), ...(disabled ? { disabled } : {}) }
      const note = { by: 'cli', action: 'user.add', subject: name, detail: { role }, at: read() }
      await store.commit(note, [{ kind: 'user', id: userId(name), body }])
    },
    browser: address => createBrowser(app, address),
    async as(name) {
      const browser = createBrowser(app)
      await browser.signIn(name)
      return browser
    },
  }
  return world
}

/** Puts a pending request into the store, as a click would. */
export async function ask(
  store: Store,
  now: number,
  { askers, ...wish }: Wish = {},
): Promise<string> {
  const id = wish.id ?? randomUUIDv7()
  const site = wish.site ?? '0590001A'
  const people = (askers ?? [['10.1.1.21', 'Salle 1', 3]]).map(([ip, roomName, ago]) => ({
    ip: ip as Host,
    room: roomName,
    at: now - ago * MINUTE_MS,
  }))
  const body: UnblockRequest = {
    host: 'jeux.example' as Host,
    port: 443,
    url: 'https://jeux.example/',
    reason: 'blocked-category',
    category: 'games',
    siteName: POLICY.sites.find(({ uai }) => uai === site)?.name ?? '',
    clicks: people.length,
    at: people[0]?.at ?? now,
    lastAt: people.at(-1)?.at ?? now,
    ...wish,
    id,
    site,
    askers: people,
  }
  await store.commit(
    { by: `pc:${people[0]?.ip}`, action: 'request.open', subject: body.host, at: body.at },
    [
      { kind: 'request', id, expects: 'absent', body },
      { kind: 'latest', id: latestKeyOf(body), body: { requestId: id } },
    ],
  )
  return id
}

async function putGrant(store: Store, now: number, grant: Partial<Grant> = {}): Promise<string> {
  const id = grant.id ?? randomUUIDv7()
  const body: Grant = {
    host: 'kahoot.example' as Host,
    scope: { kind: 'room', site: '0590001A', room: 'Salle 1' },
    origin: 'approved',
    by: 'claire',
    at: now,
    until: now + 60 * MINUTE_MS,
    ...grant,
    id,
  }
  await store.commit({ by: body.by, action: 'grant.put', subject: body.host, at: now }, [
    { kind: 'grant', id, body },
  ])
  return id
}

const HOST = 'admin.example:8080'

function createBrowser(app: FastifyInstance, remoteAddress = '10.9.0.1'): Browser {
  const cookies = new Map<string, string>()
  const send = async (options: InjectOptions): Promise<LightMyRequestResponse> => {
    const answer = await app.inject({
      remoteAddress,
      cookies: Object.fromEntries(cookies),
      ...options,
      headers: { host: HOST, ...options.headers },
    })
    for (const { name, value } of answer.cookies) {
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer
  }
  const browser: Browser = {
    cookies,
    csrf: '',
    get: (url, headers = {}) => send({ url, headers }),
    post: (url, form = {}, options = {}) =>
      send({
        method: 'POST',
        url,
        ...options,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          origin: `http://${HOST}`,
          ...options.headers,
        },
        payload:
          options.payload ?? new URLSearchParams({ _csrf: browser.csrf, ...form }).toString(),
      }),
    async signIn(name, password = PASSWORD) {
      browser.csrf = tokenOf(await browser.get('/sign-in'))
      const answer = await browser.post('/sign-in', { name, password })
      if (answer.statusCode === 303) browser.csrf = tokenOf(await browser.get('/'))
      return answer
    },
  }
  return browser
}

/** The form token of a page. */
export function tokenOf(page: LightMyRequestResponse): string {
  return /name="_csrf" value="([^"]+)"/.exec(page.body)?.[1] ?? ''
}
