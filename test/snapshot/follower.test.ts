/** A running process follows the store, and keeps its last good snapshot when it cannot. */
import t, { type Test } from 'tap'
import { unlinkSync } from 'node:fs'
import { join } from 'node:path'
import pino from 'pino'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { loadConfig, type Config } from '../../src/config.ts'
import { indexFile } from '../../src/categories/lists.ts'
import { install } from '../../src/install.ts'
import { PreauError } from '../../src/errors.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { decide } from '../../src/policy/verdict.ts'
import { followSnapshot, type FollowedSnapshot } from '../../src/snapshot/follower.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { Store } from '../../src/store/store.ts'
import { over } from '../portal/broken-store.ts'
import { eventually } from '../support/proxy-world.ts'
import { host } from '../support/snapshot.ts'

const clock = Date.now
const note = { by: 'test', action: 'test', at: 0 }

interface World {
  readonly config: Config
  readonly store: Store
  readonly current: FollowedSnapshot
  readonly said: string[]
  readonly verdict: (name: string) => string
}

async function open(t: Test): Promise<World> {
  const ends: (() => Promise<void>)[] = []
  // Before the folder is asked for: it is removed in the order in which things were set up.
  t.teardown(async () => {
    for (const end of ends) await end()
  })
  const config = loadConfig(undefined, { PREAU_DATA_DIR: t.testdir() })
  const { store, catalogue } = await install(config, clock)
  const said: string[] = []
  const logger = pino({}, { write: (line: string) => void said.push(line) })
  const current = await followSnapshot({ store, config, catalogue, clock, logger })
  ends.push(
    () => current.close(),
    () => store.close(),
  )
  const verdict = (name: string): string => {
    const { snapshot } = current
    return decide(
      snapshot,
      snapshot.networks(host('127.0.0.1')),
      { host: host(name), port: 443 },
      clock(),
    ).reason
  }
  return { config, store, current, said, verdict }
}

t.test('a grant committed elsewhere opens the site here, and closes it when it ends', async t => {
  const { config, store, current, verdict } = await open(t)
  t.equal(verdict('www.miniclip.com'), 'blocked-category')
  let swaps = 0
  current.onSwap(() => swaps++)
  // Another process: its own connection to the same file.
  const other = await openSqliteStore(join(config.dataDir, 'preau.db'))
  t.teardown(() => other.close())
  const body = {
    id: 'g1',
    host: host('miniclip.com'),
    scope: { kind: 'city' },
    origin: 'approved',
    by: 'alice',
    at: 0,
    until: null,
  } as const
  await other.commit(note, [{ kind: 'grant', id: 'g1', body }])
  await eventually(() => verdict('www.miniclip.com') === 'grant')
  t.equal(verdict('www.miniclip.com'), 'grant')
  await other.commit(note, [
    { kind: 'grant', id: 'g1', body: { ...body, endedAt: 1, endedBy: 'alice' } },
  ])
  await eventually(() => verdict('www.miniclip.com') === 'blocked-category')
  t.equal(verdict('www.miniclip.com'), 'blocked-category')
  t.equal(swaps, 2)
  await store.commit(note, [
    { kind: 'session', id: 's', body: { user: 'a', csrf: 'x', at: 0, until: 1, seal: '' } },
  ])
  await new Promise(resolve => setTimeout(resolve, 100))
  t.equal(swaps, 2, 'what changes no policy swaps nothing')
})

t.test(
  'what decides is read once: a decision brings what has changed, and a click of the city nothing',
  async t => {
    const { config, store, verdict } = await open(t)
    let reads = 0
    const told: number[] = []
    const counting = over(store, {
      list: (...args) => {
        if (args[0] === 'grant') reads++
        return store.list(...args)
      },
      async changes(since) {
        const found = await store.changes(since)
        told.push(found?.changed.length ?? Infinity)
        return found
      },
    })
    const sum = (): number => told.reduce((total, count) => total + count, 0)
    const catalogue = loadCatalogue()
    const logger = pino({ level: 'silent' })
    const current = await followSnapshot({ store: counting, config, catalogue, clock, logger })
    t.teardown(() => current.close())
    const grant = (id: string) => {
      const scope = { kind: 'city' } as const
      const body = {
        id,
        host: host('miniclip.com'),
        scope,
        origin: 'approved',
        by: 'a',
        at: 0,
      } as const
      return store.commit(note, [{ kind: 'grant', id, body: { ...body, until: null } }])
    }
    await grant('g1')
    await eventually(() => verdict('www.miniclip.com') === 'grant')
    await eventually(() => sum() === 1)
    for (let i = 0; i < 5; i++) {
      await store.commit(note, [{ kind: 'latest', id: `k${i}`, body: { requestId: 'r' } }])
      await new Promise(resolve => setTimeout(resolve, 60))
    }
    t.equal(sum(), 1)
    await grant('g2')
    await eventually(() => sum() === 2)
    t.equal(sum(), 2)
    t.equal(reads, 1)
  },
)

t.test('an index that cannot be opened leaves the last one in force, and says so', async t => {
  const { store, said, verdict } = await open(t)
  const lists = await store.get('lists', CURRENT)
  if (lists === undefined) throw new Error('no lists')
  await store.commit(note, [
    { kind: 'lists', id: CURRENT, body: { ...lists.body, index: 'index-absent.bin' } },
  ])
  await eventually(() => said.length > 0)
  t.match(said.join(''), /the last one stays in force/)
  t.equal(verdict('www.miniclip.com'), 'blocked-category')
})

t.test(
  'a store that is down leaves the last good snapshot deciding, and is read again when it is back',
  async t => {
    let end = async (): Promise<void> => undefined
    t.teardown(() => end())
    const config = loadConfig(undefined, { PREAU_DATA_DIR: t.testdir() })
    const { store, catalogue } = await install(config, clock)
    let isDown = false
    const said: string[] = []
    const logger = pino({}, { write: (line: string) => void said.push(line) })
    const orDown = <T>(ask: () => Promise<T>): Promise<T> =>
      isDown ? Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'down' })) : ask()
    const current = await followSnapshot({
      store: over(store, {
        get: (kind, id) => orDown(() => store.get(kind, id)),
        changes: since => orDown(() => store.changes(since)),
      }),
      config,
      catalogue,
      clock,
      logger,
    })
    end = async () => {
      await current.close()
      await store.close()
    }
    const before = current.snapshot
    const body = {
      id: 'g1',
      host: host('miniclip.com'),
      scope: { kind: 'city' },
      origin: 'approved',
      by: 'alice',
      at: 0,
      until: null,
    } as const
    isDown = true
    await store.commit(note, [{ kind: 'grant', id: 'g1', body }])
    await eventually(() => said.length > 0)
    t.equal(current.snapshot, before)
    t.match(said.join(''), /the last one stays in force/)
    isDown = false
    await store.commit(note, [
      { kind: 'session', id: 's', body: { user: 'a', csrf: 'x', at: 0, until: 1, seal: '' } },
    ])
    await eventually(() => current.snapshot !== before)
    t.not(current.snapshot, before, 'what was missed meanwhile is in force')
  },
)

t.test('without a category index nothing starts: a filter never starts blind', async t => {
  const { config, store, current } = await open(t)
  await current.close()
  const lists = await store.get('lists', CURRENT)
  if (lists === undefined) throw new Error('no lists')
  unlinkSync(indexFile(config.dataDir, lists.body))
  const { loadCatalogue } = await import('../../src/categories/catalogue.ts')
  const options = {
    store,
    config,
    catalogue: loadCatalogue(),
    clock,
    logger: pino({ enabled: false }),
  }
  await t.rejects(followSnapshot(options), { code: 'PREAU_INDEX_DAMAGED' })
})

t.test('grants and policy never wait for an index that is still to come', async t => {
  const { config, store, current, verdict } = await open(t)
  const lists = await store.get('lists', CURRENT)
  if (lists === undefined) throw new Error('no lists')
  const { copyFileSync } = await import('node:fs')
  const index = 'index-tocome000-000000.bin'
  await store.commit(note, [
    { kind: 'lists', id: CURRENT, body: { ...lists.body, id: 'later', index, previous: null } },
  ])
  await store.commit(note, [
    {
      kind: 'grant',
      id: 'g1',
      body: {
        id: 'g1',
        host: host('miniclip.com'),
        scope: { kind: 'city' },
        origin: 'approved',
        by: 'alice',
        at: 0,
        until: null,
      },
    },
  ])
  await eventually(() => verdict('www.miniclip.com') === 'grant')
  t.equal(verdict('www.miniclip.com'), 'grant')
  t.equal(verdict('www.jeux.fr'), 'blocked-category', 'by the lists that stood open')
  const before = current.snapshot.categories
  copyFileSync(indexFile(config.dataDir, lists.body), indexFile(config.dataDir, { index }))
  await eventually(() => current.snapshot.categories !== before)
  t.not(current.snapshot.categories, before, 'taken when it has come, without another change')
})
