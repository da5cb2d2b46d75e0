/** How everything is: for monitoring, and on the first page in words that say what to do. */
import t from 'tap'
import type { Sample } from '../../src/metrics.ts'
import { PreauError } from '../../src/errors.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import type { StoreHealth } from '../../src/store/store.ts'
import { over } from '../portal/broken-store.ts'
import { openWorld, START } from './world.ts'

const WELL: Sample[] = [
  { name: 'preau_workers', value: 2 },
  { name: 'preau_workers_up', value: 2 },
  { name: 'preau_workers_silent', value: 0 },
  { name: 'preau_restarts_total', labels: { role: 'proxy' }, value: 0 },
  { name: 'preau_last_state_in_use', labels: { worker: '1' }, value: 0 },
  { name: 'preau_ca_usable', labels: { worker: '1' }, value: 1 },
  { name: 'preau_access_log_lost_lines_total', value: 0 },
  { name: 'preau_open_descriptors', labels: { worker: '1' }, value: 100 },
  { name: 'preau_max_descriptors', labels: { worker: '1' }, value: 1_000 },
]
/** The same with some of them changed. */
const but = (...changed: Sample[]): Sample[] => [
  ...WELL.filter(sample => !changed.some(({ name }) => name === sample.name)),
  ...changed,
]

t.test('when all is well both say so, without an account and without a name', async t => {
  const world = await openWorld(t, { gather: async () => WELL })
  const live = await world.app.inject('/healthz')
  t.equal(live.statusCode, 200)
  t.strictSame(live.json(), { status: 'ok' })
  const ready = await world.app.inject('/readyz')
  t.equal(ready.statusCode, 200)
  t.match(ready.json(), {
    status: 'ready',
    unfit: [],
    parts: {
      store: { state: 'ok', isUp: true, warnings: [] },
      workers: { state: 'ok', configured: 2, up: 2, silent: 0, restarts: 0 },
      lastState: { processes: 0 },
      descriptors: { open: 100, max: 1_000 },
    },
  })
  await world.user('Claire', 'dsi')
  t.notMatch((await (await world.as('Claire')).get('/')).body, 'notice problem"><svg')
})

t.test('with the store down the process lives, is not ready, and names the part', async t => {
  const store = await openSqliteStore(`${t.testdir()}/preau.db`)
  const down = (): Promise<never> =>
    Promise.reject(
      new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'redis.mairie.example:6379' }),
    )
  let isDown = false
  const world = await openWorld(t, {
    gather: async () => WELL,
    store: over(store, {
      get: (kind, id) => (isDown ? down() : store.get(kind, id)),
      list: (kind, query) => (isDown ? down() : store.list(kind, query)),
      commit: (note, changes) => (isDown ? down() : store.commit(note, changes)),
      check: async (): Promise<StoreHealth> =>
        isDown
          ? { isUp: false, detail: 'redis.mairie.example:6379', warnings: [] }
          : { isUp: true, warnings: [] },
    }),
  })
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  await new Promise(resolve => setTimeout(resolve, 1_100))
  isDown = true
  t.equal((await world.app.inject('/healthz')).statusCode, 200)
  const ready = await world.app.inject('/readyz')
  t.equal(ready.statusCode, 503)
  t.match(ready.json(), { status: 'unfit', unfit: ['store'] })
  t.notMatch(ready.body, 'mairie', 'the address of the store is nobody’s business')
  const metrics = await world.app.inject('/metrics')
  t.equal(metrics.statusCode, 200, 'monitoring goes on')
  t.match(metrics.body, 'preau_workers_up 2')
  const page = await claire.get('/grants')
  t.equal(page.statusCode, 503)
  t.match(page.body, /La base ne répond pas[^]*href="\/grants" role="button"[^>]*>Réessayer/)
  t.match(page.body, 'Ville de Saint-Aubin', 'the page is that of the city')
  const form = { reason: 'Pas avant la récréation "de 10 h"' }
  const refused = await claire.post(`/requests/${id}/refuse`, form)
  t.equal(refused.statusCode, 503)
  t.match(refused.body, 'Ce que vous avez saisi est gardé')
  t.match(refused.body, 'value="Pas avant la récréation &quot;de 10 h&quot;"')
  const foreign = await claire.post(`/requests/${id}/refuse`, form, {
    headers: { origin: 'http://evil.example' },
  })
  t.equal(foreign.statusCode, 403, 'a form of somebody else is not even read')
  const secret = await claire.post('/account', { current: 'x', password: 'hunter2hunter2' })
  t.equal(secret.statusCode, 503)
  t.notMatch(secret.body, 'hunter2', 'a password does not come back')
  isDown = false
  const fields = [...refused.body.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, value.replaceAll('&quot;', '"')] as const,
  )
  const again = await claire.post(`/requests/${id}/refuse`, Object.fromEntries(fields))
  t.equal(again.statusCode, 303, 'the page sends the same form once the store is back')
  t.match((await store.get('request', id))?.body.decision, form)
})

t.test(
  'a disk that hangs answers nothing and refuses nothing: monitoring hears of the rest',
  async t => {
    const store = await openSqliteStore(`${t.testdir()}/preau.db`)
    const never = new Promise<never>(() => undefined)
    let isHung = false
    const world = await openWorld(t, {
      gather: async () => WELL,
      store: over(store, {
        get: (kind, id) => (isHung ? never : store.get(kind, id)),
        list: (kind, query) => (isHung ? never : store.list(kind, query)),
      }),
    })
    await world.app.inject('/readyz')
    await new Promise(resolve => setTimeout(resolve, 1_100))
    isHung = true
    const startedAt = performance.now()
    t.match((await world.app.inject('/readyz')).json(), { parts: { workers: { up: 2 } } })
    t.match((await world.app.inject('/metrics')).body, 'preau_workers_up 2')
    const waitedMs = performance.now() - startedAt
    t.ok(waitedMs < 8_000, 'sooner than Prometheus gives up (10 s)')
    t.comment(`measured: both answered after ${Math.round(waitedMs)} ms`)
  },
)

const ALARMS: Record<string, { samples: Sample[] | undefined; says: string }> = {
  'a worker that decides on its last state': {
    samples: but({ name: 'preau_last_state_in_use', labels: { worker: '1' }, value: 1 }),
    says: 'dernier état connu',
  },
  'a supervisor that has gone': {
    samples: undefined,
    says: 'Le superviseur de Préau ne répond plus',
  },
  'a worker that hangs': {
    samples: but(
      { name: 'preau_workers_up', value: 2 },
      { name: 'preau_workers_silent', value: 1 },
    ),
    says: 'ne répondent plus',
  },
  'a worker that is not there': {
    samples: but({ name: 'preau_workers_up', value: 1 }),
    says: '1 processus du filtre sur 2 fonctionnent',
  },
  'a CA that is damaged': {
    samples: but({ name: 'preau_ca_usable', labels: { worker: '2' }, value: 0 }),
    says: 'Le certificat de la ville ne peut pas être utilisé',
  },
  'a CA that ends in a month': {
    samples: but({ name: 'preau_ca_end_seconds', value: (START + 30.5 * 86_400_000) / 1_000 }),
    says: 'expire dans 30 jours',
  },
  'descriptors that run out': {
    samples: but({ name: 'preau_open_descriptors', labels: { worker: '1' }, value: 900 }),
    says: 'LimitNOFILE',
  },
}
for (const [what, { samples, says }] of Object.entries(ALARMS)) {
  t.test(`${what} stands on the first page, and leaves the rest in service`, async t => {
    const world = await openWorld(t, { gather: async () => samples })
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    await world.app.inject('/readyz')
    t.match((await claire.get('/')).body, says)
    const ready = await world.app.inject('/readyz')
    t.equal(ready.statusCode, 200)
    t.not(ready.json().warn.length, 0)
  })
}

t.test(
  'what has happened a moment ago is told: crashes that repeat, lines that were lost',
  async t => {
    let samples = WELL
    const world = await openWorld(t, { gather: async () => samples })
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    await world.app.inject('/readyz')
    samples = but(
      { name: 'preau_restarts_total', labels: { role: 'proxy' }, value: 4 },
      { name: 'preau_access_log_lost_lines_total', value: 1_234 },
    )
    await new Promise(resolve => setTimeout(resolve, 1_100))
    t.match((await world.app.inject('/readyz')).json().parts, {
      workers: { restarts: 4 },
      log: { lostLines: 1_234 },
    })
    const { body } = await claire.get('/')
    t.match(body, 'arrêté 4 fois en dix minutes')
    t.match(body, /1.234 lignes du journal d’accès/)
    t.match((await claire.get('/', { 'accept-language': 'en' })).body, 'has ended 4 times')
  },
)

t.test('no worker at all is unfit for service', async t => {
  const world = await openWorld(t, {
    gather: async () => but({ name: 'preau_workers_up', value: 0 }),
  })
  const ready = await world.app.inject('/readyz')
  t.equal(ready.statusCode, 503)
  t.same(ready.json().unfit, ['workers'])
})

t.test('a store that promises less is told with what to change', async t => {
  const store = await openSqliteStore(`${t.testdir()}/preau.db`)
  const warnings = [{ code: 'appendonly-off' }] as const
  const world = await openWorld(t, {
    store: over(store, { check: async () => ({ isUp: true, warnings }) }),
    gather: async () => WELL,
  })
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  t.match((await world.app.inject('/readyz')).json().parts.store, {
    state: 'warn',
    warnings: ['appendonly-off'],
  })
  t.match((await claire.get('/')).body, 'appendonly yes')
})

t.test(
  'what the workers had confirmed and a failover has lost stands on the first page',
  async t => {
    const store = await openSqliteStore(`${t.testdir()}/preau.db`)
    const lost = { name: 'preau_store_lost_acts' } as const
    const world = await openWorld(t, {
      store,
      gather: async () => [
        ...WELL,
        { ...lost, labels: { worker: '1' }, value: 2 },
        { ...lost, labels: { worker: '2' }, value: 1 },
      ],
    })
    await world.user('Claire', 'dsi')
    t.match((await world.app.inject('/readyz')).json().parts.store.warnings, ['acts-lost'])
    t.match((await (await world.as('Claire')).get('/')).body, /sans 3 enregistrement/)
  },
)
