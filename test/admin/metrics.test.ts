/** Monitoring reads how old the lists are without an account, and nothing about a person. */
import t from 'tap'
import { METRICS, type Sample } from '../../src/metrics.ts'
import {
  aCandidate,
  aList,
  inForce,
  putCandidate,
  putLists,
  putSource,
  starter,
} from './list-world.ts'
import { openWorld, START, type World } from './world.ts'

const DAY_MS = 86_400_000
const DAY_S = DAY_MS / 1_000

/** The samples of a scrape: `name{labels}` to value. */
async function scrape({ app }: World): Promise<Map<string, number>> {
  const answer = await app.inject({ url: '/metrics' })
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/)
  const lines = answer.body.split('\n').filter(line => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map(line => {
      const [, name = '', value = ''] = /^(\S+) (\S+)$/.exec(line) ?? []
      return [name, Number(value)] as const
    }),
  )
}

t.test('what is wrong with the lists can be watched without an account', async t => {
  const world = await openWorld(t)
  const { store } = world
  const lists = [starter(START), aList('ut1', START - 20 * DAY_MS), aList('own', START - DAY_MS)]
  await putLists(store, inForce(START, { lists }), START)
  const failure = { since: START, at: START, times: 3, code: 'PREAU_DOWNLOAD_FAILED', params: {} }
  await putSource(
    store,
    { name: 'ut1', by: 'claire' },
    { nextAt: START, checkedAt: START - 2 * DAY_MS, failure },
  )
  await putSource(store, { name: 'new' })
  await putSource(store, { name: 'off', enabled: false })
  const ofLists = [...(await scrape(world))].filter(([name]) => /^preau_(?:list|alarms)/.test(name))
  t.strictSame(
    new Map(ofLists),
    new Map([
      ['preau_list_age_seconds{list="own"}', DAY_S],
      ['preau_list_age_seconds{list="preau"}', 0],
      ['preau_list_age_seconds{list="ut1"}', 2 * DAY_S],
      ['preau_list_hosts{list="preau"}', 30],
      ['preau_list_hosts{list="ut1"}', 12_800],
      ['preau_list_hosts{list="own"}', 12_800],
      ['preau_list_source_failures{list="new"}', 0],
      ['preau_list_source_failures{list="ut1"}', 3],
      ['preau_lists_candidate', 0],
      ['preau_alarms', 0],
    ]),
  )
  await putCandidate(store, aCandidate(START), START)
  const alarm = { kind: 'index-damaged', subject: 'v2.index', detail: '', at: START } as const
  await store.commit({ by: 'system', action: 'alarm', at: START }, [
    { kind: 'alarm', id: 'index-damaged:v2.index', body: alarm },
  ])
  world.clock.now = START + DAY_MS
  const later = await scrape(world)
  t.match(later.get('preau_lists_candidate'), 1)
  t.match(later.get('preau_alarms'), 1)
  t.match(later.get('preau_list_age_seconds{list="ut1"}'), 3 * DAY_S, 'the age grows by itself')
})

t.test('every metric is told of, even where there is nothing to tell', async t => {
  const world = await openWorld(t)
  const { body } = await world.app.inject({ url: '/metrics' })
  for (const [name, { help, type }] of Object.entries(METRICS))
    t.match(body, `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`)
  t.notMatch(body, /claire|10\.\d+\.\d+|undefined|NaN/)
})

t.test('what the proxy workers tell is shown beside the lists', async t => {
  const name = 'preau_dial_seconds'
  const world = await openWorld(t, {
    limits: { loginAttempts: 1 },
    gather: async (): Promise<Sample[]> => [
      { name: 'preau_limits_reached_total', labels: { limit: 'connections' }, value: 7 },
      { name: 'preau_resident_memory_bytes', labels: { worker: '2' }, value: 1_000 },
      { name, part: 'bucket', labels: { le: '+Inf' }, value: 3 },
      { name, part: 'sum', value: 0.5 },
      { name, part: 'count', value: 3 },
    ],
  })
  await putLists(world.store, inForce(START), START)
  for (let i = 0; i < 3; i++) await world.browser().signIn('nobody', 'wrong')
  const samples = await scrape(world)
  const expected = {
    'preau_limits_reached_total{limit="connections"}': 7,
    'preau_limits_reached_total{limit="loginAttempts"}': 2,
    'preau_resident_memory_bytes{worker="2"}': 1_000,
    'preau_dial_seconds_bucket{le="+Inf"}': 3,
    preau_dial_seconds_sum: 0.5,
    preau_dial_seconds_count: 3,
    preau_alarms: 0,
  }
  for (const [key, value] of Object.entries(expected)) t.equal(samples.get(key), value, key)
})

t.test('where the workers cannot be asked, that is told, and the lists all the same', async t => {
  const world = await openWorld(t, { gather: async () => undefined })
  await putLists(world.store, inForce(START, { lists: [aList('ut1', START)] }), START)
  const samples = await scrape(world)
  t.equal(samples.get('preau_list_hosts{list="ut1"}'), 12_800)
  t.equal(samples.get('preau_workers_silent'), 1)
  t.notOk(samples.has('preau_workers_up'), 'what is not known is not said')
})

t.test('two scrapes at once do not mix', async t => {
  const world = await openWorld(t)
  await putLists(world.store, inForce(START), START)
  const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => scrape(world)))
  t.ok((first?.size ?? 0) > 3)
  for (const other of others) t.strictSame(other, first)
})
