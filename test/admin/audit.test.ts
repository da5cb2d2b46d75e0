/** The journal: what an entry tells, and how far back it is searched, on both stores. */
import { join } from 'node:path'
import t from 'tap'
import { searchAudit } from '../../src/admin/audit-search.ts'
import type { Store } from '../../src/store/store.ts'
import { openStore } from '../../src/store/open-store.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startRedis } from '../support/redis.ts'
import { readingOf, rowsOf } from './page-text.ts'
import { openWorld, START } from './world.ts'

const redis = await startRedis(t)
let places = 0
const ENGINES: Readonly<Record<string, (dir: string) => Promise<Store>>> = {
  SQLite: dir => openSqliteStore(join(dir, 'audit.db')),
  Redis: () => openStore(redisConfig(redis.url, { prefix: `audit${++places}` }), { check: true }),
}

/** Many entries are many commits; each waits for the disk. */
async function fill(store: Store, count: number, from = 0): Promise<void> {
  const batch = Array.from({ length: count }, (_, i) =>
    store.commit(
      { by: 'pc:10.1.1.9', action: 'request.join', subject: `s${from + i}.example`, at: START },
      [],
    ),
  )
  await Promise.all(batch)
}

for (const [engine, open] of Object.entries(ENGINES)) {
  t.test(`${engine}: what happened long ago is found by what the page shows of it`, async t => {
    const store = await open(t.testdir())
    const world = await openWorld(t, { store })
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    const id = await world.ask({ site: '0590002B', askers: [['10.2.1.3', 'CM2', 5]] })
    await claire.post(`/requests/${id}/approve`, { scope: 'room', duration: 'day' })
    await fill(store, 700)
    for (const query of ['Marie-Curie', 'marie curie', 'ecole CM2 debloque', 'ce soir claire']) {
      const { body } = await claire.get(`/audit?q=${encodeURIComponent(query)}`)
      const [row, ...others] = rowsOf(body).filter(text => text.includes('a débloqué'))
      t.same(others, [], query)
      t.match(
        row,
        /Claire a débloqué jeux\.example .*Cette salle · École Marie-Curie · CM2 · Ce soir/,
      )
      t.match(readingOf(body), 'résultat(s) dans tout le journal (365 jours gardés)')
    }
    const none = readingOf((await claire.get('/audit?q=nulle+part')).body)
    t.match(none, 'Tout le journal a été parcouru : il garde 365 jours.')
  })

  t.test(`${engine}: what is found comes in pages, each entry once`, async t => {
    const store = await open(t.testdir())
    const world = await openWorld(t, { store })
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    await fill(store, 130)
    const seen: string[] = []
    let path = '/audit?q=se+joint'
    for (let page = 1; path !== ''; page++) {
      const { body } = await claire.get(path)
      const hosts = rowsOf(body).map(row => /s\d+\.example/.exec(row)?.[0] ?? '?')
      t.ok(hosts.length <= 50, `page ${page}`)
      seen.push(...hosts)
      path = (/href="(\/audit\?q=[^"]*before=\d+)"/.exec(body)?.[1] ?? '').replaceAll('&amp;', '&')
    }
    t.equal(seen.length, 130)
    t.equal(new Set(seen).size, 130)
  })

  t.test(
    `${engine}: one search looks at so many entries, and the next goes on from there`,
    async t => {
      const store = await open(t.testdir())
      t.teardown(() => store.close())
      await store.commit({ by: 'Claire', action: 'grant.revoke', subject: 'a.example', at: 1 }, [])
      await fill(store, 1_100)
      const limits = { found: 50, looked: 600, timeMs: 60_000 }
      const asked: number[] = []
      const counted: Pick<Store, 'tail'> = {
        tail(query) {
          asked.push(query.limit)
          return store.tail(query)
        },
      }
      const isWanted = ({ by }: { by: string }) => by === 'Claire'
      const first = await searchAudit(counted, isWanted, { limits })
      t.same(asked, [500, 100])
      t.same(first.entries, [])
      t.equal(first.isFull, false)
      const before = first.reached?.seq
      const second = await searchAudit(counted, isWanted, { before, limits })
      t.match(second.entries, [{ subject: 'a.example' }])
      t.equal(second.reached, undefined, 'there is nothing older')
      const late = await searchAudit(store, isWanted, { limits: { ...limits, timeMs: 0 } })
      t.ok(late.reached, 'nor does it look on past its time')
    },
  )
}

t.test('a search that came to its bound says how far, and leads on', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const { store } = world
  const tail = store.tail.bind(store)
  const at = START - 86_400_000
  const entry = { by: 'Karim', action: 'request.seen', subject: 'vieux.example', at }
  store.tail = async ({ limit, before = 100_000 }) =>
    Array.from({ length: limit }, (_, i) => ({ ...entry, seq: before - 1 - i }))
  const { body } = await claire.get('/audit?q=jamais')
  t.match(readingOf(body), '« jamais » : 0 résultat(s) jusqu’au 13 septembre')
  const before = Number(/href="\/audit\?q=jamais&amp;before=(\d+)"/.exec(body)?.[1])
  t.ok(before >= 70_000 && before < 100_000, `from ${before} on`)
  t.match(readingOf(body), 'Chercher plus loin')
  store.tail = tail
})

t.test('decisions, refusals, ends and rules say school, room and duration', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const refused = await world.ask({ host: 'a.example' as never })
  await claire.post(`/requests/${refused}/refuse`, { reason: 'Jeu' })
  await claire.post(`/requests/${refused}/undo`)
  const grant = await world.grant()
  await claire.post(`/grants/${grant}/revoke`)
  const stranger = await world.ask({ site: 'unknown', askers: [['192.168.7.7', '', 2]] })
  await claire.post(`/requests/${stranger}/approve`, { scope: 'pc', duration: 'hour' })
  const rows = rowsOf((await claire.get('/audit')).body)
  const rowOf = (what: string) => rows.find(row => row.includes(what)) ?? ''
  t.match(rowOf('a refusé'), 'École Jean-Moulin · Salle 1 · motif : « Jeu »')
  t.match(rowOf('a annulé'), 'École Jean-Moulin · Salle 1')
  t.match(rowOf('a révoqué'), 'Cette salle · École Jean-Moulin · Salle 1')
  t.match(rowOf('a débloqué'), 'Ce poste · Réseau inconnu · poste 192.168.7.7 · 1 heure')
})

t.test(
  'a decision has a note for those who decide, beside what pupils and teachers read',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    const refused = await world.ask({ host: 'a.example' as never })
    const form = readingOf((await claire.get(`/requests/${refused}`)).body)
    t.match(form, 'affiché sur la page de blocage (élèves et enseignants le lisent)')
    t.match(form, 'Note interne Lue dans cet espace seulement')
    await claire.post(`/requests/${refused}/refuse`, { reason: 'Jeu', note: 'Vu avec Mme X' })
    const approved = await world.ask({ host: 'b.example' as never })
    const wanted = { scope: 'room', duration: 'hour', note: 'Projet du CM2' }
    await claire.post(`/requests/${approved}/approve`, wanted)
    for (const [id, note] of [
      [refused, 'Vu avec Mme X'],
      [approved, 'Projet du CM2'],
    ]) {
      t.match((await world.store.get('request', id ?? ''))?.body.decision, { note })
      t.match(readingOf((await claire.get(`/requests/${id}`)).body), `Note interne : ${note}`)
      t.match(readingOf((await claire.get('/audit')).body), `note interne : « ${note} »`)
    }
  },
)
