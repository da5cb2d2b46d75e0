import t from 'tap'
import { putSource, staffed, textOf } from './list-world.ts'
import { faultOf } from './page-text.ts'
import { START } from './world.ts'

const MINUTE_MS = 60_000
const NIGHT = Date.UTC(2026, 8, 14, 21)

const JEUX = {
  name: 'jeux',
  url: 'https://listes.example/jeux.txt',
  format: 'lines',
  category: 'games',
} as const

t.test(
  'the lists of Toulouse are one click away, and the page says what the click does',
  async t => {
    const world = await staffed(t)
    const claire = await world.as('Claire')
    const page = await claire.get('/lists/sources')
    t.match(textOf(page), 'Aucune source.')
    t.match(textOf(page), 'Préau les recevra la nuit prochaine, entre 22:00 et 07:00')
    const answer = await claire.post('/lists/sources/known', { name: 'ut1' })
    t.equal(answer.headers.location, '/lists/sources?done=known')
    const row = await world.store.get('source', 'ut1')
    t.match(row?.body, {
      name: 'ut1',
      format: 'archive',
      category: null,
      enabled: true,
      by: 'Claire',
    })
    const after = await claire.get('/lists/sources?done=known')
    t.notMatch(after.body, 'action="/lists/sources/known"')
    t.match(textOf(after), 'Prochaine vérification la nuit prochaine')
    t.match(textOf(await claire.get('/audit')), 'a ajouté la source ut1')
    t.equal((await claire.post('/lists/sources/known', { name: 'autre' })).statusCode, 404)
  },
)

t.test('a source is added, changed, switched off and removed, each with its trace', async t => {
  const world = await staffed(t)
  const claire = await world.as('Claire')
  t.equal((await claire.post('/lists/sources', JEUX)).headers.location, '/lists/sources?done=add')
  const change = {
    ...JEUX,
    url: 'http://autre.example/x',
    format: 'auto',
    category: '',
    version: '1',
  }
  t.equal((await claire.post('/lists/sources/jeux', change)).statusCode, 303)
  t.equal(
    (await claire.post('/lists/sources/jeux/state', { version: '2', state: 'disabled' }))
      .statusCode,
    303,
  )
  t.match((await world.store.get('source', 'jeux'))?.body, {
    url: 'http://autre.example/x',
    format: 'auto',
    category: null,
    enabled: false,
  })
  t.match(textOf(await claire.get('/lists/sources')), 'jeux Désactivée')
  await world.store.commit({ by: 'system', action: 'source.fetch', at: START }, [
    { kind: 'fetch', id: 'jeux', body: { nextAt: START } },
  ])
  t.equal((await claire.post('/lists/sources/jeux/remove', { version: '3' })).statusCode, 303)
  t.equal(await world.store.get('source', 'jeux'), undefined)
  t.equal(await world.store.get('fetch', 'jeux'), undefined)
  const actions = (await world.store.tail({ limit: 20 })).map(({ action }) => action)
  t.strictSame(
    actions.filter(action => action.startsWith('source.')),
    ['source.remove', 'source.fetch', 'source.change', 'source.change', 'source.add'],
  )
})

t.test(
  'what is wrong with a source is said by name, nothing is stored, nothing typed is lost',
  async t => {
    const world = await staffed(t)
    await putSource(world.store, { name: 'deja' })
    const claire = await world.as('Claire')
    const wrong: [Record<string, string>, string][] = [
      [{ name: 'Majuscule' }, 'Des minuscules'],
      [{ name: 'preau' }, '« preau » est réservé'],
      [{ name: '../x' }, 'Des minuscules'],
      [{ name: 'deja' }, 'Une source porte déjà ce nom'],
      [{ url: 'ftp://x.example/' }, 'Une adresse http ou https'],
      [{ url: 'file:///etc/passwd' }, 'Une adresse http ou https'],
      [{ password: 'seul' }, 'Un mot de passe va avec un identifiant'],
      [{ url: 'x'.repeat(2_001) }, 'Trop long'],
      [{ category: 'rien' }, 'Cette catégorie n’existe pas'],
      [{ category: '' }, 'Choisissez-en une'],
      [{ format: 'archive' }, 'Une archive dit elle-même ses catégories'],
      [{ format: 'pdf' }, 'Choisissez l’une des réponses'],
    ]
    for (const [change, text] of wrong) {
      const answer = await claire.post('/lists/sources', { ...JEUX, ...change })
      t.equal(answer.statusCode, 400, text)
      const field =
        'format' in change
          ? /format|category/
          : 'password' in change
            ? /user/
            : new RegExp(Object.keys(change)[0] ?? '')
      const told = ['name', 'url', 'format', 'category', 'user'].filter(name =>
        faultOf(answer.body, name),
      )
      t.ok(told.length > 0 && told.every(name => field.test(name)), `${text}: ${told.join()}`)
      t.match(told.map(name => faultOf(answer.body, name)).join(), text)
      if (change['url'] === undefined) t.match(answer.body, `value="${JEUX.url}"`, 'kept')
    }
    t.equal(await world.store.count('source'), 1)
  },
)

t.test('a hundred sources are enough', async t => {
  const world = await staffed(t)
  for (let n = 0; n < 100; n++) await putSource(world.store, { name: `s${n}` })
  const answer = await (await world.as('Claire')).post('/lists/sources', JEUX)
  t.equal(answer.statusCode, 400)
  t.match(faultOf(answer.body, 'name'), 'Il y a déjà trop de sources')
  t.equal(await world.store.count('source'), 100)
})

t.test('a form that is older than the source changes nothing', async t => {
  const world = await staffed(t)
  await putSource(world.store, { name: 'jeux' })
  await putSource(world.store, { name: 'jeux', url: 'https://nouvelle.example/' })
  const claire = await world.as('Claire')
  for (const path of ['', '/state', '/remove']) {
    const answer = await claire.post(`/lists/sources/jeux${path}`, {
      ...JEUX,
      state: 'disabled',
      version: '1',
    })
    t.equal(answer.statusCode, 409, path)
    t.match(textOf(answer), 'Quelqu’un d’autre vient de modifier le même élément (source jeux).')
  }
  t.match((await world.store.get('source', 'jeux'))?.body, {
    url: 'https://nouvelle.example/',
    enabled: true,
  })
})

t.test('a source of the configuration is shown, fetched, and changed only there', async t => {
  const url = 'https://config.example/liste.txt'
  const source = { name: 'mairie', url, format: 'lines', category: 'games', enabled: true } as const
  const world = await staffed(t, { lists: { sources: [source] } })
  // One of the same name in the store: that of the configuration wins.
  await putSource(world.store, { name: 'mairie', url: 'https://magasin.example/' })
  const claire = await world.as('Claire')
  const page = await claire.get('/lists/sources')
  t.match(textOf(page), `${url} Une ligne par site (domaines, hosts, AdGuard) · Jeux en ligne`)
  t.match(textOf(page), 'Elle se change dans le fichier de configuration.')
  t.notMatch(page.body, /action="\/lists\/sources\/mairie(\/state|\/remove|)"/)
  for (const path of ['', '/state', '/remove']) {
    const form = { ...JEUX, state: 'disabled', version: '1' }
    t.equal((await claire.post(`/lists/sources/mairie${path}`, form)).statusCode, 404, path)
  }
  t.equal((await claire.post('/lists/sources', { ...JEUX, name: 'mairie' })).statusCode, 400)
  t.equal((await claire.post('/lists/sources/mairie/fetch')).statusCode, 303)
  t.strictSame(world.work.asked, [['mairie', 'Claire']])
})

t.test('a failing source says why, since when, and that nothing is lost', async t => {
  const world = await staffed(t)
  const params = { url: 'https://x.example/', detail: { fr: 'réponse 404', en: '404' } }
  const failure = { since: START - 180 * MINUTE_MS, at: START, times: 3, params }
  const status = { checkedAt: START - 60 * 24 * MINUTE_MS, nextAt: START + 12 * 60 * MINUTE_MS }
  const known = { ...failure, code: 'PREAU_DOWNLOAD_FAILED' }
  await putSource(world.store, { name: 'jeux' }, { ...status, failure: known })
  const later = { ...failure, code: 'PREAU_OF_A_LATER_VERSION' }
  await putSource(world.store, { name: 'futur' }, { ...status, failure: later })
  const text = textOf(await (await world.as('Lecture')).get('/lists/sources'))
  t.match(text, 'Téléchargement impossible de https://x.example/ : réponse 404')
  t.match(text, 'Échecs : 3, le premier il y a 3 h · La liste en service ne change pas.')
  t.match(text, 'PREAU_OF_A_LATER_VERSION')
  t.match(text, 'Dernière réponse hier')
  t.match(text, 'Prochaine vérification 14 septembre à 22:40')
})

t.test('fetching now starts the work once, and says politely when it goes on already', async t => {
  const world = await staffed(t)
  await putSource(world.store, { name: 'jeux' })
  const claire = await world.as('Claire')
  const answer = await claire.post('/lists/sources/jeux/fetch')
  t.equal(answer.headers.location, '/lists/sources?done=fetch')
  t.strictSame(world.work.asked, [['jeux', 'Claire']])
  world.work.show({ list: 'ut1', phase: 'index', done: 0, startedAt: START, by: 'system' })
  const busy = await claire.post('/lists/sources/jeux/fetch')
  t.equal(busy.statusCode, 409)
  t.match(textOf(busy), 'Une mise à jour est déjà en cours (UT1 (Toulouse Capitole)).')
  t.equal(world.work.asked.length, 1)
  t.equal((await claire.post('/lists/sources/inconnue/fetch')).statusCode, 404)
})

t.test('the university of Toulouse is called by day only by somebody who insists', async t => {
  const world = await staffed(t)
  const url = 'https://dsi.ut-capitole.fr/blacklists/download/blacklists.tar.gz'
  await putSource(world.store, { name: 'ut1', url })
  const claire = await world.as('Claire')
  const asked = await claire.post('/lists/sources/ut1/fetch')
  t.equal(asked.statusCode, 409)
  t.match(textOf(asked), 'prie de ne pas télécharger ses listes entre 8 h et 19 h (GMT)')
  t.strictSame(world.work.asked, [])
  t.equal((await claire.post('/lists/sources/ut1/fetch', { anyway: 'yes' })).statusCode, 303)
  t.equal(world.work.asked.length, 1)
  world.clock.now = NIGHT
  const night = await world.as('Claire')
  t.equal((await night.post('/lists/sources/ut1/fetch')).statusCode, 303)
  t.equal(world.work.asked.length, 2)
})

t.test('what another machine is at work on is shown, and not started twice', async t => {
  const world = await staffed(t)
  const claim = { id: 'x', machine: 'proxy-2:/var/lib/preau', pid: 1, at: START - 2 * MINUTE_MS }
  const status = { nextAt: 0, claim: { ...claim, until: START + MINUTE_MS } }
  await putSource(world.store, JEUX, status)
  const claire = await world.as('Claire')
  const page = await claire.get('/lists/sources')
  t.match(
    textOf(page),
    'Une mise à jour est en cours (proxy-2:/var/lib/preau), lancée il y a 2 min',
  )
  const answer = await claire.post('/lists/sources/jeux/fetch')
  t.equal(answer.statusCode, 409)
  t.match(
    textOf(answer),
    'La liste « jeux » est déjà en cours de mise à jour (proxy-2:/var/lib/preau)',
  )
  await putSource(world.store, JEUX, { ...status, claim: { ...status.claim, until: START } })
  t.notMatch(textOf(await claire.get('/lists/sources')), 'Une mise à jour est en cours')
  t.equal((await claire.post('/lists/sources/jeux/fetch')).statusCode, 303, 'it has died')
})

t.test('a removed source is put back as it was, from where it stood', async t => {
  const world = await staffed(t)
  const claire = await world.as('Claire')
  for (const name of ['autre', 'jeux', 'videos'])
    await putSource(world.store, { name }, { nextAt: NIGHT, etag: '"v1"' })
  const read = async () => [
    (await world.store.get('source', 'jeux'))?.body,
    (await world.store.get('fetch', 'jeux'))?.body,
  ]
  const before = await read()
  const version = String((await world.store.get('source', 'jeux'))?.version)
  const { headers } = await claire.post('/lists/sources/jeux/remove', { version })
  t.equal(headers.location, '/lists/sources?done=remove&name=jeux#s-jeux')
  t.strictSame(await read(), [undefined, undefined])
  const page = await claire.get('/lists/sources?done=remove&name=jeux')
  t.match(page.body, /id="s-autre"[\s\S]*id="s-jeux"[\s\S]*id="s-videos"/)
  const { statusCode } = await claire.post('/lists/sources/jeux/restore')
  t.equal(statusCode, 303)
  t.strictSame(await read(), before)
  t.notMatch((await claire.get('/lists/sources?done=remove&name=jeux')).body, '/restore')
  t.equal((await claire.post('/lists/sources/jeux/restore')).statusCode, 404)
})

t.test('a source may have a name and a password, which no page shows again', async t => {
  const world = await staffed(t)
  const claire = await world.as('Claire')
  const typed = { ...JEUX, user: 'lecteur', password: 's3cret' }
  t.equal((await claire.post('/lists/sources', typed)).statusCode, 303)
  const stored = async () => (await world.store.get('source', 'jeux'))?.body
  const credentials = { user: 'lecteur', password: 's3cret' }
  t.match(await stored(), { url: JEUX.url, credentials })
  const everywhere = async (): Promise<string> => {
    const pages = ['/lists/sources', '/lists', '/audit'].map(
      async path => (await claire.get(path)).body,
    )
    const entries = JSON.stringify(await world.store.tail({ limit: 50 }))
    return [...(await Promise.all(pages)), entries].join()
  }
  t.match(textOf(await claire.get('/lists/sources')), 'ajoutée ici · avec identifiants')
  t.notMatch(await everywhere(), /s3cret|lecteur/)
  await claire.post('/lists/sources/jeux', { ...JEUX, format: 'auto', version: '1' })
  t.match(await stored(), { credentials }, 'fields left empty change nothing')
  const elsewhere = { ...JEUX, url: 'https://autre.example/x', version: '2' }
  await claire.post('/lists/sources/jeux', elsewhere)
  t.equal(
    (await stored())?.credentials,
    undefined,
    'what was given to one server is not for another',
  )
  const url = 'https://lecteur:s3cret@listes.example/jeux.txt'
  await claire.post('/lists/sources/jeux', { ...JEUX, url, version: '3' })
  t.match(await stored(), { url: JEUX.url, credentials }, 'in the address they are taken out of it')
  await claire.post('/lists/sources/jeux', { ...JEUX, credentials: 'forget', version: '4' })
  t.equal((await stored())?.credentials, undefined)
  const refused = await claire.post('/lists/sources', {
    ...JEUX,
    url,
    name: 'x y',
    password: 's3cret',
  })
  t.equal(refused.statusCode, 400)
  t.notMatch(refused.body, 's3cret', 'nor is it in a form that comes back')
  t.notMatch(await everywhere(), /s3cret/)
})

t.test('whether the published checksum was right is told', async t => {
  const world = await staffed(t)
  await putSource(world.store, JEUX, { nextAt: 0, checkedAt: START, checksum: 'absent' })
  const text = textOf(await (await world.as('Lecture')).get('/lists/sources'))
  t.match(text, 'somme de contrôle publiée : introuvable')
})
