import t from 'tap'
import { CURRENT } from '../../src/policy/document.ts'
import {
  aCandidate,
  aList,
  aVersion,
  inForce,
  manyCounts,
  putCandidate,
  putLists,
  putSource,
  staffed,
  starter,
  textOf,
} from './list-world.ts'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import type { Host } from '../../src/policy/host.ts'
import { openWorld, START } from './world.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

t.test('the page says which version is in force, since when, by whom and how big', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START - 2 * DAY_MS), START)
  await putSource(world.store, { name: 'ut1' }, { checkedAt: START - 60 * MINUTE_MS, nextAt: 0 })
  const page = await (await world.as('Lecture')).get('/lists')
  const text = textOf(page)
  t.match(text, 'Sites connus 12 830')
  t.match(text, /En service avant-hier \( ?par Préau ?\)/)
  t.match(
    text,
    'UT1 (Toulouse Capitole) http://listes.example/ut1.tar.gz Remarques Lignes d’aucune forme connue : 7. À jour il y a 1 h',
  )
  t.match(text, /12 800 40 2 7/, 'domains, pages, expressions, refused lines')
  t.match(text, /Listes de départ de Préau Préau .* Livrée avec Préau/)
  t.match(text, 'Jeux en ligne Bloquée : Élèves 40 12 030')
  t.match(text, 'Achats en ligne Avertissement : Élèves 0 800')
  t.match(text, 'listes noires de l’Université Toulouse Capitole (UT1) , CC BY-SA 4.0')
  t.notMatch(page.body, 'action="/lists/rollback"', 'a reader sees, and does not act')
})

t.test(
  'what of a list does not act is told where the list stands, and where an update waits',
  async t => {
    const world = await staffed(t)
    const remarks = {
      lines: 893,
      examples: ['exemple.fr/#haut'],
      suffixes: [{ host: 'co.uk' as Host, category: 'games' }],
      suffixLines: 1,
      services: [{ host: 'duckdns.org' as Host, category: 'dynamic-dns' }],
      serviceLines: 331,
      categories: ['hobby/pets'],
      files: 3,
      fileNames: ['blacklists/README'],
    }
    const version = aVersion('v2', START, [starter(START), aList('ut1', START, { remarks })])
    await putLists(world.store, inForce(START, version), START)
    await putCandidate(world.store, { ...aCandidate(START), version }, START)
    const claire = await world.as('Claire')
    for (const path of ['/lists', '/lists/candidate']) {
      const text = textOf(await claire.get(path))
      t.match(text, 'Remarques Lignes d’aucune forme connue : 7.')
      t.match(
        text,
        /laissées de côté \(exceptions, [^)]*\) : 893, par exemple : exemple\.fr\/#haut/,
      )
      t.match(text, /Suffixes publics laissés de côté, .* : 1\. .* Les voici : co\.uk \(games\)/)
      t.match(text, 'tous les sites de chacun avec eux : 331, dont : duckdns.org (dynamic-dns)')
      t.match(text, 'Catégories que Préau ne connaît pas : hobby/pets')
      t.match(text, 'Fichiers qui ne tiennent pas de liste : 3, par exemple : blacklists/README')
    }
  },
)

t.test('a city without lists, and one without a version before, read that it is so', async t => {
  const world = await staffed(t)
  const claire = await world.as('Claire')
  t.match(textOf(await claire.get('/lists')), 'Aucune liste en service.')
  t.match(textOf(await claire.get('/lists/candidate')), 'Rien à examiner.')
  const version = aVersion('v1', START, [starter(START)])
  const first = { ...version, activatedAt: START, activatedBy: 'cli', previous: null }
  await putLists(world.store, first, START)
  const page = await claire.get('/lists')
  t.match(textOf(page), 'Version précédente Aucune pour l’instant.')
  t.notMatch(page.body, '/lists/rollback')
  t.notMatch(page.body, 'CC BY-SA', 'nobody is named whose list is not in force')
})

t.test('sixty categories: the biggest are shown, the others are one click away', async t => {
  const world = await openWorld(t, { catalogue: loadCatalogue() })
  await world.user('Claire', 'dsi')
  const lists = [aList('ut1', START, { counts: manyCounts() })]
  await putLists(world.store, inForce(START, aVersion('v2', START, lists)), START)
  const { body } = await (await world.as('Claire')).get('/lists')
  const [shown = '', folded = ''] = body.split('<details class="more">')
  t.equal(shown.match(/class="bar/g)?.length, 12)
  t.equal(folded.match(/class="bar/g)?.length, Object.keys(manyCounts()).length - 12)
  t.match(shown, 'Sites pour adultes')
})

t.test('going back says first what it changes, then puts the version before in force', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START), START)
  await putCandidate(world.store, aCandidate(START), START)
  const claire = await world.as('Claire')
  const before = textOf(await claire.get('/lists'))
  t.match(before, 'Sites connus : 12 830 aujourd’hui, 11 030 ensuite.')
  t.match(before, '12 800 domaines du 14 septembre à 10:40 deviennent 11 000 domaines du 13')
  t.match(before, 'La mise à jour qui attend est écartée')
  const answer = await claire.post('/lists/rollback', { version: 'v2' })
  t.equal(answer.headers.location, '/lists?done=rollback')
  const now = await world.store.get('lists', CURRENT)
  t.match(now?.body, {
    id: 'v1',
    activatedBy: 'Claire',
    activatedAt: START,
    previous: { id: 'v2' },
  })
  t.equal(await world.store.get('candidate', CURRENT), undefined)
  t.match(textOf(await claire.get('/lists?done=rollback')), 'est de nouveau en service')
  t.match(textOf(await claire.get('/audit')), 'est revenu à la version précédente des listes')
})

t.test('the slower of two people changes nothing, and reads who was faster', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START), START)
  const claire = await world.as('Claire')
  await claire.post('/lists/rollback', { version: 'v2' })
  world.clock.now += 5 * MINUTE_MS
  const answer = await claire.post('/lists/rollback', { version: 'v2' })
  t.equal(answer.statusCode, 409)
  t.match(
    textOf(answer),
    'Rien n’a été changé : les listes ont bougé depuis que cette page a été affichée. Dernière action : Claire est revenu à la version précédente des listes (il y a 5 min).',
  )
  t.equal((await world.store.get('lists', CURRENT))?.body.id, 'v1')
})

t.test('a commit that comes between reading and writing is told the same way', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START), START)
  const claire = await world.as('Claire')
  const commit = world.store.commit.bind(world.store)
  world.store.commit = async (note, changes) => {
    world.store.commit = commit
    await putLists(world.store, inForce(START, { id: 'v9' }), START)
    return commit(note, changes)
  }
  const answer = await claire.post('/lists/rollback', { version: 'v2' })
  t.equal(answer.statusCode, 409)
  t.match(textOf(answer), 'Dernière action : Préau a mis en service la mise à jour de ut1')
  t.equal((await world.store.get('lists', CURRENT))?.body.id, 'v9')
})

t.test('work in progress is a bar with its step in words, for scripts and without', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START), START)
  const claire = await world.as('Claire')
  t.notMatch((await claire.get('/lists/work')).body, '<progress')
  const work = { list: 'ut1', startedAt: START, by: 'system' }
  world.work.show({ ...work, phase: 'read', done: 12_400_000, total: 34_000_000 })
  for (const path of ['/lists', '/lists/work', '/lists/sources', '/lists/candidate']) {
    const page = await claire.get(path)
    t.match(page.body, /<progress [^>]*value="36"/, path)
    t.match(textOf(page), 'Étape 2 sur 4 : lecture des lignes. 12 Mo sur 34 Mo', path)
  }
  world.work.show({ ...work, phase: 'download', done: 1_250_000 })
  const page = await claire.get('/lists/work')
  t.match(page.body, /<progress [^>]*max="100">/, 'an end that is not known is not made up')
  t.match(textOf(page), 'téléchargement. 1,3 Mo')
})

t.test('the first page is calm when all is well', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START - 2 * DAY_MS), START)
  await putSource(world.store, { name: 'ut1' }, { checkedAt: START - 2 * DAY_MS, nextAt: 0 })
  const page = await (await world.as('Lecture')).get('/requests/pending')
  t.match(textOf(page), /UT1 \(Toulouse Capitole\) : vérifiée avant-hier/)
  t.notMatch(page.body, /class="notice/)
  t.notMatch(textOf(page), 'Recevoir des listes complètes')
})

t.test('with the starter lists alone, the first page names the next thing to do', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START, aVersion('v2', START, [starter(START)])), START)
  const page = await (await world.as('Lecture')).get('/')
  t.match(textOf(page), 'Listes de départ de Préau : livrées avec le logiciel')
  t.match(page.body, '<a href="/lists/sources">Recevoir des listes complètes</a>')
})

t.test('the first page tells what went wrong with the lists, and where to act', async t => {
  const world = await staffed(t)
  await putLists(world.store, inForce(START), START)
  const params = { url: 'https://x.example/', detail: { fr: 'réponse 404', en: '404' } }
  const failure = { at: START, times: 2, code: 'PREAU_DOWNLOAD_FAILED', params }
  await putSource(world.store, { name: 'ut1' }, { checkedAt: START - 40 * DAY_MS, nextAt: 0 })
  await putSource(
    world.store,
    { name: 'jeux' },
    {
      checkedAt: START - DAY_MS,
      nextAt: 0,
      failure: { ...failure, since: START - 60 * MINUTE_MS },
    },
  )
  await putCandidate(world.store, aCandidate(START - 3 * 60 * MINUTE_MS), START)
  const alarm = { kind: 'index-damaged', subject: 'v2.index', detail: 'CRC', at: START } as const
  await world.store.commit({ by: 'system', action: 'alarm', at: START }, [
    { kind: 'alarm', id: 'index-damaged:v2.index', body: alarm },
    ...(['lists-late', 'shared-file-damaged'] as const).map(kind => {
      const body = { ...alarm, kind, machine: 'proxy-2:/var/lib/preau' }
      return { kind: 'alarm', id: kind, body } as const
    }),
  ])
  const lecture = await world.as('Lecture')
  for (const path of ['/', '/requests/pending']) {
    const page = await lecture.get(path)
    const text = textOf(page)
    t.match(
      text,
      'Une mise à jour de UT1 (Toulouse Capitole) attend votre avis (préparée il y a 3 h).',
    )
    t.match(
      text,
      'UT1 (Toulouse Capitole) : la source ne répond plus (dernière réponse : il y a 40 j)',
    )
    t.match(text, 'jeux : la dernière vérification a échoué. Téléchargement impossible de')
    t.match(text, 'réponse 404. Voir les sources')
    t.match(text, 'L’index des listes v2.index est endommagé')
    t.match(text, 'La machine proxy-2:/var/lib/preau n’a pas encore reçu les listes en service')
    t.match(text, 'endommagé dans la base commune (v2.index, constaté')
    for (const href of ['/lists/candidate', '/lists/sources', '/lists']) {
      t.match(page.body, `<a href="${href}">`)
    }
  }
})
