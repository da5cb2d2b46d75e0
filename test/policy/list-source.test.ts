/** What may be a source, which of two of one name counts, and how old a list is. */
import t from 'tap'
import { listStandings, type StandingParts } from '../../src/policy/list-age.ts'
import {
  isHttpUrl,
  KNOWN_SOURCES,
  LIST_NAME,
  mergeSources,
  sourceKey,
  type ListSource,
} from '../../src/policy/list-source.ts'
import type { ListInfo } from '../../src/policy/lists.ts'

const source = (name: string, change: Partial<ListSource> = {}): ListSource => ({
  name,
  url: `https://${name}.test/list`,
  format: 'auto',
  category: null,
  enabled: true,
  ...change,
})

t.test('a source is an http or https address without password', async t => {
  for (const url of ['http://a.test/', 'https://a.test:8443/x?y', 'http://10.0.0.1/ut1.tar.gz'])
    t.ok(isHttpUrl(url), url)
  for (const url of ['ftp://a.test/', 'file:///etc/passwd', 'http://u:p@a.test/', 'a.test', ''])
    t.notOk(isHttpUrl(url), url)
})

t.test('a list may not be called like a file elsewhere, nor like the starter lists', async t => {
  for (const name of ['ut1', 'a.b_c-d', '0', 'preau2']) t.match(name, LIST_NAME)
  for (const name of ['preau', '', '.a', '../a', 'A', 'a/b', 'x'.repeat(41), 'é'])
    t.notMatch(name, LIST_NAME)
})

t.test('a source of the configuration wins over one of the same name in the store', async t => {
  const merged = mergeSources(
    [source('b', { url: 'http://config.test/' })],
    [source('b'), source('a')],
  )
  t.match(merged, [
    { name: 'a', isFromConfig: false },
    { name: 'b', isFromConfig: true, url: 'http://config.test/' },
  ])
  t.equal(merged.length, 2)
})

t.test('what a fetch brings is another thing once URL, format or category change', async t => {
  const keys = [
    source('a'),
    source('a', { url: 'https://b.test/' }),
    source('a', { format: 'lines' }),
    source('a', { category: 'games' }),
  ].map(sourceKey)
  t.equal(new Set(keys).size, 4)
  t.equal(sourceKey(source('a', { enabled: false })), keys[0], 'switching it off changes nothing')
})

t.test('UT1 is known by name', async t => {
  const [ut1] = KNOWN_SOURCES
  t.match(ut1, { name: 'ut1', format: 'archive', category: null, enabled: true })
  t.match(ut1?.url, /^https:/, 'and fetched by TLS')
})

t.test('UT1 is fetched by TLS too where it was added when its address was another', async t => {
  const url = 'http://dsi.ut-capitole.fr/blacklists/download/blacklists.tar.gz'
  const [merged] = mergeSources([], [source('toulouse', { url })])
  t.equal(merged?.url, KNOWN_SOURCES[0]?.url)
})

t.test('what a server asks for is not a part of what is known of a source', async t => {
  const credentials = { user: 'reader', password: 's3cret' }
  for (const merged of [
    mergeSources([{ ...source('a'), credentials }], []),
    mergeSources([], [{ ...source('a'), credentials }]),
  ]) {
    t.match(merged, [{ name: 'a', hasCredentials: true }])
    t.notMatch(JSON.stringify(merged), /s3cret|reader/)
  }
})

const DAY_MS = 86_400_000
const NOW = 100 * DAY_MS
const list = (name: string, importedDaysAgo: number, folder: string | null = name): ListInfo => ({
  name,
  folder,
  source: name,
  importedAt: NOW - importedDaysAgo * DAY_MS,
  firstImportedAt: 0,
  since: {},
  counts: {},
  urls: {},
  expressions: {},
  refusedLines: 0,
})
const standing = (parts: Partial<StandingParts>) => {
  const base = { lists: [], sources: [], statuses: new Map(), now: NOW, warnAfterDays: 10 }
  const [only] = listStandings({ ...base, ...parts })
  return only
}
const known = (name: string, change: Partial<ListSource> = {}) => [
  { ...source(name, change), isFromConfig: false, hasCredentials: false },
]
const failure = { since: NOW - DAY_MS, at: NOW, times: 2, code: 'X', params: {} }

t.test('a list is fresh while its source answers, whether it has something new or not', async t => {
  const statuses = new Map([['a', { nextAt: 0, checkedAt: NOW - DAY_MS }]])
  const found = standing({ lists: [list('a', 50)], sources: known('a'), statuses })
  t.match(found, { state: 'fresh', ageMs: DAY_MS, importedAt: NOW - 50 * DAY_MS, isFetched: true })
})

t.test('a source that is silent for too long makes its list old, day by day', async t => {
  const stateAfter = (days: number, failing = {}) =>
    standing({
      lists: [list('a', 50)],
      sources: known('a'),
      statuses: new Map([['a', { nextAt: 0, checkedAt: NOW - days * DAY_MS, ...failing }]]),
    })?.state
  t.equal(stateAfter(10), 'fresh')
  t.equal(stateAfter(10.01), 'old')
  t.equal(stateAfter(1, { failure }), 'failing')
  t.equal(stateAfter(11, { failure }), 'old', 'the older alarm is the greater one')
})

t.test('a source that has never answered is told apart, and does not stay quiet', async t => {
  t.match(standing({ sources: known('a') }), { state: 'never', ageMs: undefined })
  const statuses = new Map([
    ['a', { nextAt: 0, failure: { ...failure, since: NOW - 11 * DAY_MS } }],
  ])
  t.match(standing({ sources: known('a'), statuses }), { state: 'old' })
})

t.test('a list that nobody fetches ages from its import', async t => {
  t.match(standing({ lists: [list('a', 5)] }), {
    state: 'manual',
    ageMs: 5 * DAY_MS,
    isFetched: false,
  })
  t.equal(standing({ lists: [list('a', 11)] })?.state, 'old')
  const off = known('a', { enabled: false })
  t.equal(standing({ lists: [list('a', 11)], sources: off })?.state, 'old', 'a source that is off')
  t.equal(standing({ sources: off }), undefined)
})

t.test('the starter lists age with Préau, and are no alarm', async t => {
  t.equal(standing({ lists: [list('preau', 400, null)] })?.state, 'manual')
})
