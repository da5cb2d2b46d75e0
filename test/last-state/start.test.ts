/** A process that starts while the store is down decides on the last good state of the data folder, until the store answers. */
import t, { type Test } from 'tap'
import {
  cpSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as elapsed } from 'node:timers/promises'
import pino from 'pino'
import { loadConfig, type Config } from '../../src/config.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { install } from '../../src/install.ts'
import { PreauError } from '../../src/errors.ts'
import { encodeState } from '../../src/last-state/format.ts'
import { LastStateKeeper } from '../../src/last-state/keep.ts'
import { lastStateFile, readLastState } from '../../src/last-state/read.ts'
import { CURRENT } from '../../src/policy/document.ts'
import type { Grant } from '../../src/policy/grant.ts'
import type { LocalRule } from '../../src/policy/policy-document.ts'
import { decide } from '../../src/policy/verdict.ts'
import { followSnapshot, type FollowedSnapshot } from '../../src/snapshot/follower.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { over } from '../portal/broken-store.ts'
import { eventually } from '../support/proxy-world.ts'
import { host } from '../support/snapshot.ts'

const START = Date.UTC(2026, 8, 14, 8, 40)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const note = { by: 'claire', action: 'test', at: 0 }
const catalogue = loadCatalogue()
const unavailable = (): PreauError => new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'down' })

/** Installed once: building the index is the dear part. */
const installed = t.testdir()
await (
  await install(loadConfig(undefined, { PREAU_DATA_DIR: installed }), () => START)
).store.close()

const grant = (id: string, name: string, until: number | null): Grant => ({
  id,
  host: host(name),
  scope: { kind: 'city' },
  origin: 'approved',
  by: 'claire',
  at: START,
  until,
})

/** An installation whose processes have run, so that it has a last state. */
class Installation {
  now = START
  isDown = false
  readonly said: string[] = []
  readonly config: Config
  readonly store: Store
  readonly logger = pino({}, { write: (line: string) => void this.said.push(line) })
  readonly #followed: FollowedSnapshot[] = []

  private constructor(config: Config, store: Store) {
    this.config = config
    this.store = store
  }

  static async open(t: Test, grants: readonly Grant[] = []): Promise<Installation> {
    let world: Installation | undefined
    // Before the folder is asked for: it is removed in the order in which things were set up.
    t.teardown(async () => {
      if (world === undefined) return
      for (const followed of world.#followed) await followed.close()
      await world.store.close()
    })
    const config = loadConfig(undefined, { PREAU_DATA_DIR: t.testdir() })
    cpSync(installed, config.dataDir, { recursive: true })
    const store = await openStore(config)
    world = new Installation(config, store)
    await store.commit(
      note,
      grants.map(body => ({ kind: 'grant', id: body.id, body })),
    )
    await (await world.start()).close()
    return world
  }

  /** What a process sees of the store: everything, or that it is down. */
  get seen(): Store {
    const orDown = <T>(ask: () => Promise<T>): Promise<T> =>
      this.isDown ? Promise.reject(unavailable()) : ask()
    return over(this.store, {
      get: (kind, id) => orDown(() => this.store.get(kind, id)),
      list: (kind, query) => orDown(() => this.store.list(kind, query)),
      changes: since => orDown(() => this.store.changes(since)),
      commit: (of, changes) => orDown(() => this.store.commit(of, changes)),
    })
  }

  async start(store = this.seen): Promise<FollowedSnapshot> {
    const { config, logger } = this
    const clock = (): number => this.now
    const current = await followSnapshot({ store, config, catalogue, clock, logger })
    this.#followed.push(current)
    return current
  }

  /** And lets a process see it. */
  async addRule(rule: LocalRule): Promise<void> {
    const policy = await this.store.get('policy', CURRENT)
    if (policy === undefined) throw new Error('no policy')
    const body = { ...policy.body, rules: [rule] }
    await this.store.commit(note, [{ kind: 'policy', id: CURRENT, body }])
    await (await this.start()).close()
  }

  verdict({ snapshot }: FollowedSnapshot, name: string): string {
    const client = snapshot.networks(host('127.0.0.1'))
    return decide(snapshot, client, { host: host(name), port: 443 }, this.now).reason
  }

  get file(): string {
    return lastStateFile(this.config)
  }
}

t.test(
  'with the store down it decides as before, and says so once, and once that it is over',
  async t => {
    const world = await Installation.open(t, [grant('g1', 'miniclip.com', START + HOUR_MS)])
    world.isDown = true
    const current = await world.start()
    t.equal(world.verdict(current, 'www.miniclip.com'), 'grant')
    t.equal(world.verdict(current, 'www.jeux.fr'), 'blocked-category')
    t.match(current.lastState, { at: START, code: 'PREAU_STORE_UNAVAILABLE' })
    // What somebody decides at another machine meanwhile.
    await world.store.commit(note, [
      { kind: 'grant', id: 'g2', body: grant('g2', 'jeux.fr', null) },
    ])
    await elapsed(500)
    t.equal(world.verdict(current, 'www.jeux.fr'), 'blocked-category')
    t.equal(world.said.length, 1, 'tried again and again, said once')
    t.match(world.said[0], '2026-09-14T08:40:00.000Z')
    const backAt = performance.now()
    world.isDown = false
    await eventually(() => world.verdict(current, 'www.jeux.fr') === 'grant')
    t.equal(world.verdict(current, 'www.jeux.fr'), 'grant')
    t.comment(
      `measured: what was decided meanwhile is in force ${Math.round(performance.now() - backAt)} ms after the return`,
    )
    t.equal(current.lastState, undefined)
    t.equal(world.said.length, 2)
    t.match(world.said[1], /read again/)
  },
)

t.test('a process that runs tries again by itself, without a change to wake it', async t => {
  const world = await Installation.open(t)
  const current = await world.start()
  world.isDown = true
  await world.store.commit(note, [{ kind: 'grant', id: 'g1', body: grant('g1', 'jeux.fr', null) }])
  await eventually(() => current.lastState !== undefined)
  t.equal(world.verdict(current, 'www.jeux.fr'), 'blocked-category')
  world.isDown = false
  await eventually(() => world.verdict(current, 'www.jeux.fr') === 'grant')
  t.equal(world.verdict(current, 'www.jeux.fr'), 'grant')
})

t.test('a grant ends at its time, whether the store is there or not', async t => {
  const world = await Installation.open(t, [
    grant('g1', 'miniclip.com', START + HOUR_MS),
    grant('g2', 'jeux.fr', START + 60_000),
  ])
  world.isDown = true
  world.now = START + 60_000
  const current = await world.start()
  t.equal(world.verdict(current, 'www.jeux.fr'), 'blocked-category', 'over before the start')
  t.equal(world.verdict(current, 'www.miniclip.com'), 'grant')
  world.now = START + HOUR_MS - 1
  t.equal(world.verdict(current, 'www.miniclip.com'), 'grant')
  world.now = START + HOUR_MS
  t.equal(world.verdict(current, 'www.miniclip.com'), 'blocked-category')
})

t.test('a grant that was revoked is not in the state that is kept', async t => {
  const world = await Installation.open(t, [grant('g1', 'miniclip.com', null)])
  const current = await world.start()
  const ended = { ...grant('g1', 'miniclip.com', null), endedAt: START, endedBy: 'claire' }
  await world.store.commit(note, [{ kind: 'grant', id: 'g1', body: ended }])
  await eventually(() => !readFileSync(world.file, 'utf8').includes('miniclip.com'))
  await current.close()
  world.isDown = true
  t.equal(world.verdict(await world.start(), 'www.miniclip.com'), 'blocked-category')
})

t.test('a store that never answers costs a second at the start, not the filter', async t => {
  const world = await Installation.open(t)
  const never = (): Promise<never> => new Promise(() => undefined)
  const startedAt = performance.now()
  const current = await world.start(over(world.store, { get: never, list: never }))
  t.comment(`measured: deciding after ${Math.round(performance.now() - startedAt)} ms`)
  t.ok(performance.now() - startedAt < 5_000)
  t.equal(world.verdict(current, 'www.jeux.fr'), 'blocked-category')
  t.match(current.lastState, { at: START })
})

t.test('only its owner may read the file, and it names nobody', async t => {
  const world = await Installation.open(t, [grant('g1', 'miniclip.com', START + HOUR_MS)])
  await world.addRule({ host: host('lumni.example'), action: 'allow', by: 'claire' })
  t.equal(statSync(world.file).mode & 0o777, 0o600)
  const text = readFileSync(world.file, 'utf8')
  t.match(text, 'miniclip.com')
  t.notMatch(text, /claire|cli"|system/)
  t.match(text, 'lumni.example')
  t.doesNotThrow(() => JSON.parse(text))
})

const DAMAGES: Record<string, (text: string) => string> = {
  'an empty file': () => '',
  'half a file': text => text.slice(0, text.length / 2),
  'a file without its last byte': text => text.slice(0, -1),
  'one letter changed': text => text.replace('miniclip.com', 'miniclop.com'),
  'an end taken from a grant': text => text.replace(/"until":\d+/, '"until":null'),
  'an older format': text => text.replace('preau-last-state-1', 'preau-last-state-0'),
  'a file of something else': () => '{"name":"preau","version":"0.1.0"}',
  'no text at all': () => '\0'.repeat(5_000),
}
for (const [what, damage] of Object.entries(DAMAGES)) {
  t.test(`${what} is ignored, and the log says so`, async t => {
    const world = await Installation.open(t, [grant('g1', 'miniclip.com', START + HOUR_MS)])
    const text = readFileSync(world.file, 'utf8')
    t.not(damage(text), text)
    writeFileSync(world.file, damage(text))
    world.isDown = true
    await t.rejects(world.start(), { code: 'PREAU_STORE_UNAVAILABLE' })
    t.match(world.said.join(''), /the last state cannot be used/)
  })
}

t.test(
  'a state that leads out of the data folder, or whose policy is none, is not read',
  async t => {
    const world = await Installation.open(t)
    const { state } = await readLastState(world.config, catalogue, START)
    if (state === undefined) throw new Error('no state')
    const { lists, policy } = state
    const outside = { ...lists, body: { ...lists.body, index: '../../etc/passwd' } }
    writeFileSync(world.file, encodeState({ ...state, lists: outside }))
    t.match(await readLastState(world.config, catalogue, START), { ignored: /index/ })
    const none = { ...policy, body: { ...policy.body, profiles: [] } }
    writeFileSync(world.file, encodeState({ ...state, policy: none }))
    t.match(await readLastState(world.config, catalogue, START), { ignored: /profiles/ })
  },
)

t.test('a state is kept no longer than grants are', async t => {
  const world = await Installation.open(t)
  world.isDown = true
  world.now = START + (world.config.limits.requestRetentionDays + 1) * DAY_MS
  await t.rejects(world.start(), { code: 'PREAU_STORE_UNAVAILABLE' })
})

t.test(
  'a state that cannot be written is told once, harms nothing, and is written later',
  async t => {
    const world = await Installation.open(t)
    const { state } = await readLastState(world.config, catalogue, START)
    if (state === undefined) throw new Error('no state')
    rmSync(world.file)
    mkdirSync(`${world.file}/in-the-way`, { recursive: true })
    const { file, logger } = world
    const keeper = new LastStateKeeper({ file, logger, retryMs: 20 })
    keeper.keep(state, true)
    await elapsed(150)
    t.equal(world.said.length, 1)
    rmSync(world.file, { recursive: true })
    await eventually(() => statSync(world.file, { throwIfNoEntry: false })?.isFile() === true)
    t.match((await readLastState(world.config, catalogue, START)).state?.at, START)
    await keeper.close()
  },
)

t.test('what a process left half-written when it died does not stay', async t => {
  const world = await Installation.open(t)
  const left = `${world.file}.dead.new`
  writeFileSync(left, '{')
  utimesSync(left, new Date(START - HOUR_MS), new Date(START - HOUR_MS))
  await (await world.start()).close()
  t.equal(statSync(left, { throwIfNoEntry: false }), undefined)
})

t.test(
  'a store that has lost its policy changes no verdict, and gets no default over a city’s own',
  async t => {
    const world = await Installation.open(t, [grant('g1', 'miniclip.com', null)])
    const lost = await world.store.get('policy', CURRENT)
    const running = await world.start()
    await world.store.commit(note, [{ kind: 'policy', id: CURRENT, body: null }])
    await eventually(() => running.lastState !== undefined)
    t.equal(world.verdict(running, 'www.miniclip.com'), 'grant')
    const restarted = await world.start()
    t.equal(
      world.verdict(restarted, 'www.miniclip.com'),
      'grant',
      'also in a process that comes back',
    )
    t.equal(restarted.lastState?.code, 'PREAU_STORE_EMPTY')
    await t.rejects(
      install(world.config, () => START),
      { code: 'PREAU_STORE_EMPTY' },
    )
    t.equal(await world.store.get('policy', CURRENT), undefined)
    if (lost === undefined) throw new Error('no policy')
    await world.store.commit(note, [{ kind: 'policy', id: CURRENT, body: lost.body }])
    await eventually(() => restarted.lastState === undefined)
    rmSync(world.file)
  },
)

t.test('a backup put back with the same version and other contents is taken whole', async t => {
  const world = await Installation.open(t)
  const stored = await world.store.get('policy', CURRENT)
  if (stored === undefined) throw new Error('no policy')
  world.isDown = true
  const current = await world.start()
  const city = { ...stored.body.city, name: 'Ville remise' }
  const restored: Store['get'] = async (kind, id) => {
    if (world.isDown) throw unavailable()
    const found = await world.store.get(kind, id)
    return found && kind === 'policy' ? { ...found, body: { ...found.body, city } } : found
  }
  await current.close()
  const again = await world.start(over(world.seen, { get: restored }))
  world.isDown = false
  await eventually(() => again.snapshot.city.name === 'Ville remise')
  t.equal(again.snapshot.city.name, 'Ville remise')
})
