/** A source is fetched into the lists; whatever goes wrong, the list in force stays as it is. */
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { existsSync, globSync, mkdirSync, utimesSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { configSchema, type Config } from '../../src/config.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { install } from '../../src/install.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { listStandings } from '../../src/policy/list-age.ts'
import type { ListSource } from '../../src/policy/list-source.ts'
import type { Store } from '../../src/store/store.ts'
import { fetchSource, type FetchDeps, type FetchOutcome } from '../../src/updates/fetch-source.ts'
import { nextFetchAt, retryAt } from '../../src/updates/fetch-times.ts'
import { DIAL, serveHttp } from './source-server.ts'

const NOW = Date.parse('2026-11-23T22:00:00Z')
const HOUR_MS = 3_600_000
const MOMENT = { source: 'city', seed: 'seed', fetchFromHourUtc: 20, fetchToHourUtc: 5 }

interface City {
  readonly deps: FetchDeps
  readonly store: Store
  readonly config: Config
  readonly clock: { now: number }
  /** What the server does; replaced by a test. */
  answer: RequestListener
  readonly asked: { readonly etag: string | undefined; readonly url: string }[]
  readonly source: ListSource
  fetch(change?: Partial<ListSource>): Promise<FetchOutcome>
  status(): Promise<Awaited<ReturnType<typeof readStatus>>>
  /** The domains of the list `city` in force. */
  hosts(): Promise<number | undefined>
}

const readStatus = async (store: Store) => (await store.get('fetch', 'city'))?.body

async function openCity(t: Test, wrap = (store: Store): Store => store): Promise<City> {
  const dataDir = join(t.testdir(), 'data')
  const config = { ...configSchema.parse({ dataDir }), dial: DIAL }
  const clock = { now: NOW }
  const { store } = await install(config, () => clock.now)
  t.teardown(() => store.close())
  const asked: { etag: string | undefined; url: string }[] = []
  const origin = await serveHttp(t, (request, response) => {
    asked.push({ etag: request.headers['if-none-match'], url: request.url ?? '' })
    city.answer(request, response)
  })
  const url = `${origin}/games.txt`
  const source = { name: 'city', url, format: 'lines', category: 'games', enabled: true } as const
  const catalogue = loadCatalogue()
  const deps = { store: wrap(store), config, catalogue, clock: () => clock.now, seed: 'seed' }
  const city: City = {
    deps,
    store,
    config,
    clock,
    asked,
    source,
    answer: serves('a.test\nb.test\n', '"1"'),
    fetch: change =>
      fetchSource(deps, { source: { ...source, ...change }, by: 'alice', mode: 'auto' }),
    status: () => readStatus(store),
    async hosts() {
      const lists = await store.get('lists', CURRENT)
      return lists?.body.lists.find(({ name }) => name === 'city')?.counts['games']
    },
  }
  return city
}

const serves =
  (text: string, etag: string): RequestListener =>
  (request, response) => {
    if (request.headers['if-none-match'] === etag) response.writeHead(304).end()
    else response.writeHead(200, { etag }).end(text)
  }

const leftovers = ({ config }: City): string[] => globSync(join(config.dataDir, 'download-*'))

t.test('the first fetch puts the list in force and plans the next night', async t => {
  const city = await openCity(t)
  const phases = new Set<string>()
  const outcome = await fetchSource(city.deps, {
    source: city.source,
    by: 'system',
    mode: 'auto',
    onProgress: (_done, { phase }) => phases.add(phase),
  })
  t.equal(outcome.kind, 'activated')
  t.equal(await city.hosts(), 2)
  t.match(await city.status(), {
    checkedAt: NOW,
    changedAt: NOW,
    etag: '"1"',
    url: city.source.url,
    nextAt: nextFetchAt(MOMENT, NOW),
    failure: undefined,
  })
  t.ok(phases.has('download') && phases.size > 1, 'and it was told how it went')
  t.strictSame(leftovers(city), [])
  t.match(await city.store.tail({ limit: 1 }), [
    { by: 'system', action: 'source.fetch', subject: 'city', detail: { outcome: 'activated' } },
  ])
})

t.test('a list that has not changed is asked about and not sent again', async t => {
  const city = await openCity(t)
  await city.fetch()
  const before = await city.store.get('lists', CURRENT)
  city.clock.now = NOW + HOUR_MS
  const outcome = await city.fetch()
  t.strictSame(outcome, { kind: 'unchanged' })
  t.match(await city.status(), { checkedAt: NOW + HOUR_MS, changedAt: NOW, etag: '"1"' })
  t.equal((await city.store.get('lists', CURRENT))?.version, before?.version)
})

t.test('what is known is asked for anew when it may be worth nothing any more', async t => {
  const city = await openCity(t)
  await city.fetch()
  await city.fetch()
  await city.fetch({ category: 'shopping' })
  await city.fetch({ url: city.source.url.replace('games', 'others') })
  await city.fetch()
  const lists = await city.store.get('lists', CURRENT)
  if (lists === undefined) throw new TypeError('no lists')
  const kept = lists.body.lists.filter(({ name }) => name !== 'city')
  await city.store.commit({ by: 'alice', action: 'lists.remove', at: NOW }, [
    { kind: 'lists', id: CURRENT, body: { ...lists.body, lists: kept } },
    { kind: 'candidate', id: CURRENT, body: null },
  ])
  await city.fetch()
  t.strictSame(
    city.asked.map(({ etag }) => etag),
    [undefined, '"1"', undefined, undefined, undefined, undefined],
    'after a change of the category, of the URL, and once the list was removed',
  )
})

t.test('a source that fails keeps the list in force, and its failures are counted', async t => {
  const city = await openCity(t)
  await city.fetch()
  const before = (await city.store.get('lists', CURRENT))?.version
  const broken: [RequestListener, string][] = [
    [(_request, response) => response.writeHead(503).end(), 'PREAU_DOWNLOAD_FAILED'],
    [serves('<html>\n<body>404</body>\n', '"2"'), 'PREAU_LIST_REFUSED'],
    [
      (_request, response) => {
        response.writeHead(200, { 'content-length': 1_000 })
        response.write('a.test\n', () => response.socket?.destroy())
      },
      'PREAU_DOWNLOAD_FAILED',
    ],
  ]
  for (const [i, [answer, code]] of broken.entries()) {
    city.answer = answer
    city.clock.now = NOW + i * HOUR_MS
    await t.rejects(city.fetch(), { code })
    t.match(await city.status(), {
      checkedAt: NOW,
      etag: '"1"',
      nextAt: retryAt(MOMENT, i + 1, city.clock.now),
      failure: { since: NOW, at: city.clock.now, times: i + 1, code },
    })
  }
  t.equal((await city.store.get('lists', CURRENT))?.version, before)
  t.equal(await city.hosts(), 2, 'the last good version is in force')
  t.strictSame(leftovers(city), [])
  t.match(await city.store.tail({ limit: 1 }), [{ action: 'source.fail', subject: 'city' }])
  city.answer = serves('a.test\nb.test\n', '"1"')
  await city.fetch()
  t.equal((await city.status())?.failure, undefined, 'a success ends it')
})

t.test('an update that drops most of a list waits for a person', async t => {
  const city = await openCity(t)
  const names = Array.from({ length: 500 }, (_, i) => `site${i}.test\n`)
  city.answer = serves(names.join(''), '"1"')
  await city.fetch()
  city.answer = serves(names.slice(400).join(''), '"2"')
  const { kind, update } = await city.fetch()
  t.equal(kind, 'waiting')
  t.match(update?.holds, [{ kind: 'removed', category: 'games' }])
  t.equal(await city.hosts(), 500)
  t.ok(await city.store.get('candidate', CURRENT))
  t.match(await city.status(), { etag: '"2"', failure: undefined })
  t.strictSame(await city.fetch(), { kind: 'unchanged' }, 'and it is not fetched twice meanwhile')
})

t.test('a change that comes in between is met by one more attempt', async t => {
  let meddle: (() => Promise<void>) | undefined
  const wrap = (store: Store): Store => ({
    get: (kind, id) => store.get(kind, id),
    list: (kind, query) => store.list(kind, query),
    count: (kind, facet) => store.count(kind, facet),
    revision: kinds => store.revision(kinds),
    confirmed: read => store.confirmed(read),
    changes: since => store.changes(since),
    tail: query => store.tail(query),
    forget: before => store.forget(before),
    watch: onChange => store.watch(onChange),
    close: () => store.close(),
    check: () => store.check(),
    permits: store.permits,
    async commit(note, changes) {
      if (note.action === 'lists.import') await meddle?.()
      await store.commit(note, changes)
    },
  })
  const city = await openCity(t, wrap)
  let meddled = 0
  const touch = async (): Promise<void> => {
    meddled++
    const lists = await city.store.get('lists', CURRENT)
    if (lists === undefined) return
    await city.store.commit({ by: 'alice', action: 'test', at: NOW }, [
      { kind: 'lists', id: CURRENT, expects: lists.version, body: lists.body },
    ])
  }
  meddle = async () => {
    meddle = undefined
    await touch()
  }
  t.equal((await city.fetch()).kind, 'activated')
  t.equal(city.asked.length, 1, 'of what was downloaded already')
  meddle = touch
  city.answer = serves('a.test\nb.test\nc.test\n', '"2"')
  await t.rejects(city.fetch(), { code: 'PREAU_CONFLICT' }, 'and by no more than one')
  t.equal(meddled, 3)
  t.equal(await city.hosts(), 2)
})

t.test('what a killed fetch has left on the disk goes with a later one', async t => {
  const city = await openCity(t)
  const dir = join(city.config.dataDir, 'download-killed')
  mkdirSync(dir)
  await city.fetch()
  city.clock.now = Date.now()
  await city.fetch()
  t.ok(existsSync(dir), 'one that may still be at work is left alone')
  utimesSync(dir, 0, 0)
  await city.fetch()
  t.notOk(existsSync(dir))
})

t.test('a silent source turns its list old', async t => {
  const city = await openCity(t)
  await city.fetch()
  city.answer = (_request, response) => response.writeHead(500).end()
  const stateAfter = async (days: number) => {
    city.clock.now = NOW + days * 24 * HOUR_MS
    await t.rejects(city.fetch())
    const status = await city.status()
    const [standing] = listStandings({
      lists: [],
      sources: [{ ...city.source, isFromConfig: false, hasCredentials: false }],
      statuses: new Map(status === undefined ? [] : [['city', status]]),
      now: city.clock.now,
      warnAfterDays: city.config.lists.warnAfterDays,
    })
    return standing?.state
  }
  t.equal(await stateAfter(1), 'failing')
  t.equal(await stateAfter(11), 'old')
})

t.test(
  'a list of lines has the date that the server gives, and none where it gives none',
  async t => {
    const city = await openCity(t)
    const dateOf = async () =>
      (await city.store.get('lists', CURRENT))?.body.lists.find(({ name }) => name === 'city')
    city.answer = (_, response) => {
      response.writeHead(200, { 'last-modified': 'Mon, 17 Aug 2026 06:00:00 GMT' })
      response.end('a.test\n')
    }
    await city.fetch()
    t.equal((await dateOf())?.contentAt, Date.UTC(2026, 7, 17, 6))
    city.answer = serves('a.test\nb.test\n', '"2"')
    await city.fetch()
    t.match(await dateOf(), { importedAt: NOW, contentAt: undefined })
  },
)

t.test('a list behind a password is fetched, and the password is nowhere to be seen', async t => {
  const city = await openCity(t)
  city.answer = (request, response) => {
    const isKnown = request.headers.authorization === `Basic ${btoa('reader:s3cret')}`
    if (isKnown) response.end('a.test\n')
    else response.writeHead(401).end()
  }
  await t.rejects(city.fetch(), { message: /401/ })
  const credentials = { user: 'reader', password: 's3cret' }
  const body = { ...city.source, credentials, by: 'alice', at: NOW }
  await city.store.commit({ by: 'alice', action: 'source.add', at: NOW }, [
    { kind: 'source', id: 'city', body },
  ])
  t.equal((await city.fetch()).kind, 'activated')
  const told = [
    await city.store.tail({ limit: 50 }),
    await city.store.get('lists', CURRENT),
    await city.status(),
  ]
  t.notMatch(JSON.stringify(told), /s3cret/)
})

t.test('of an archive as UT1 lays it out the published sum is compared, and told', async t => {
  const city = await openCity(t)
  const url = `${new URL(city.source.url).origin}/blacklists/download/games.txt`
  const sums =
    (sum: string): RequestListener =>
    (request, response) =>
      response.end(request.url?.endsWith('.LST') ? `${sum}  games.txt\n` : 'a.test\n')
  city.answer = sums('0'.repeat(32))
  await t.rejects(city.fetch({ url }), { message: /announces/ })
  t.equal(await city.hosts(), undefined, 'another archive than the announced one is not taken')
  city.answer = sums(createHash('md5').update('a.test\n').digest('hex'))
  t.match(await city.fetch({ url }), { kind: 'activated', checksum: 'right' })
  t.match(await city.status(), { checksum: 'right' })
  city.answer = (request, response) =>
    request.url?.endsWith('.LST') ? response.writeHead(404).end() : response.end('a.test\n')
  t.match(await city.fetch({ url }), { kind: 'unchanged', checksum: 'absent' })
  t.match(await city.status(), { checksum: 'absent' })
})
