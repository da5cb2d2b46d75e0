import t from 'tap'
import { loadCatalogue } from '../../src/categories/catalogue.ts'
import { CURRENT } from '../../src/policy/document.ts'
import {
  aBigRehearsal,
  aCandidate,
  aRehearsal,
  inForce,
  putCandidate,
  putLists,
  staffed,
  textOf,
} from './list-world.ts'
import { openWorld, START, type World } from './world.ts'

async function waiting(
  t: Parameters<typeof openWorld>[0],
  candidate = aCandidate(START),
): Promise<World> {
  const world = await staffed(t)
  await putLists(world.store, inForce(START), START)
  await putCandidate(world.store, candidate, START)
  return world
}

t.test('an update that waits says why, what changes by category, and for whom', async t => {
  const world = await waiting(t)
  const page = await (await world.as('Lecture')).get('/lists/candidate')
  const text = textOf(page)
  t.match(text, 'Mise à jour de UT1 (Toulouse Capitole) à examiner')
  t.match(text, 'Jeux en ligne : 50 % des sites de la catégorie disparaîtraient.')
  t.match(text, 'qui changeraient : 1 en se fermant, 1 en s’ouvrant.')
  t.match(text, 'Sur 4 812 sites demandés dans vos écoles ces 30 derniers jours :')
  t.match(text, '1 se fermerait 0 demanderait de lire un avertissement 1 s’ouvrirait')
  t.match(text, 'exercices.example accès ouvert en ce moment Se ferme Élèves Jeux en ligne 1 204')
  t.match(text, 'jeux-libres.example S’ouvre Élèves Jeux en ligne 12')
  t.match(text, 'Retirés : vieux.example , ancien.example')
  t.match(text, 'Ajoutés : neuf.example')
  t.match(text, '12 000 6 000 −6 200 +200')
  t.notMatch(page.body, /action="\/lists\/(activate|discard)"/, 'a reader sees, and does not act')
})

t.test('every reason to wait has its sentence', async t => {
  const world = await waiting(
    t,
    aCandidate(START, {
      holds: [
        { kind: 'added', category: 'shopping', percent: 41.6 },
        { kind: 'lost', category: 'adult' },
        { kind: 'asked' },
        { kind: 'waiting' },
      ],
    }),
  )
  const text = textOf(await (await world.as('Lecture')).get('/lists/candidate'))
  t.match(text, 'Achats en ligne : 42 % de sites en plus dans la catégorie.')
  t.match(text, 'Sites pour adultes : la catégorie entière disparaîtrait.')
  t.match(text, 'Quelqu’un a demandé à la voir d’abord.')
  t.match(text, 'Elle s’ajoute à une mise à jour qui attendait déjà.')
})

t.test('a city whose access log is empty is not told that nothing changes', async t => {
  const rehearsal = aRehearsal({ seen: [], closes: 0, opens: 0, hostsSeen: 0 })
  const world = await waiting(t, aCandidate(START, { rehearsal }))
  const text = textOf(await (await world.as('Lecture')).get('/lists/candidate'))
  t.match(text, 'l’effet sur vos écoles n’est pas connu')
})

t.test(
  'an update that moves everything stays readable: the rest is folded, what is cut is said',
  async t => {
    const world = await openWorld(t, { catalogue: loadCatalogue() })
    await world.user('Claire', 'dsi')
    await putLists(world.store, inForce(START), START)
    await putCandidate(world.store, aCandidate(START, { rehearsal: aBigRehearsal() }), START)
    const page = await (await world.as('Claire')).get('/lists/candidate')
    t.match(textOf(page), 'Voir les 180 autres sites')
    t.match(textOf(page), 'Les 200 plus demandés sont montrés, sur 323.')
    t.match(textOf(page), /Voir les \d+ autres catégories/)
  },
)

t.test('putting it in force keeps the version before, and writes who did it', async t => {
  const world = await waiting(t)
  const claire = await world.as('Claire')
  const answer = await claire.post('/lists/activate', { candidate: 'v3' })
  t.equal(answer.headers.location, '/lists?done=activate')
  const lists = await world.store.get('lists', CURRENT)
  t.match(lists?.body, { id: 'v3', activatedBy: 'Claire', previous: { id: 'v2' } })
  t.equal(await world.store.get('candidate', CURRENT), undefined)
  const [entry] = await world.store.tail({ limit: 1 })
  t.match(entry, { by: 'Claire', action: 'lists.activate', subject: 'ut1', detail: { closes: 1 } })
  t.match(textOf(await claire.get('/audit')), 'a mis en service la mise à jour de ut1')
})

t.test('discarding it leaves the lists in force alone', async t => {
  const world = await waiting(t)
  const claire = await world.as('Claire')
  const before = await world.store.get('lists', CURRENT)
  const answer = await claire.post('/lists/discard', { candidate: 'v3' })
  t.equal(answer.headers.location, '/lists?done=discard')
  t.strictSame(await world.store.get('lists', CURRENT), before)
  t.equal(await world.store.get('candidate', CURRENT), undefined)
  t.match(textOf(await claire.get('/lists/candidate')), 'Rien à examiner.')
})

t.test(
  'what a person saw is what is decided on, never an update that came in its place',
  async t => {
    const world = await waiting(t)
    const claire = await world.as('Claire')
    const other = aCandidate(START)
    await putCandidate(
      world.store,
      { ...other, by: 'Paul', version: { ...other.version, id: 'v4' } },
      START,
    )
    for (const act of ['activate', 'discard']) {
      const answer = await claire.post(`/lists/${act}`, { candidate: 'v3' })
      t.equal(answer.statusCode, 409, act)
      t.match(textOf(answer), 'Rien n’a été changé', act)
    }
    t.equal((await world.store.get('candidate', CURRENT))?.body.version.id, 'v4')
    t.equal((await world.store.get('lists', CURRENT))?.body.id, 'v2')
  },
)

t.test('an update tried against another version cannot be put in force, and says so', async t => {
  const world = await waiting(t, aCandidate(START, { base: 'v1' }))
  const claire = await world.as('Claire')
  const page = await claire.get('/lists/candidate')
  t.match(
    textOf(page),
    'Les listes en service ont changé depuis que cette mise à jour a été préparée',
  )
  t.notMatch(page.body, 'action="/lists/activate"')
  t.match(page.body, 'action="/lists/discard"')
  t.equal((await claire.post('/lists/activate', { candidate: 'v3' })).statusCode, 409)
  t.equal((await world.store.get('lists', CURRENT))?.body.id, 'v2')
})
