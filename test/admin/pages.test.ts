import t from 'tap'
import { openWorld } from './world.ts'

t.test('every page carries the security headers, errors included', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  const visit = async (url: string, status: number) => {
    const { statusCode, headers, body } = await claire.get(url)
    t.equal(statusCode, status, url)
    t.match(
      headers['content-security-policy'],
      /^default-src 'none';script-src 'self';style-src 'self';/,
    )
    t.match(headers['content-security-policy'], /frame-ancestors 'none';base-uri 'none'$/)
    t.notMatch(headers['content-security-policy'], /unsafe|data:|\*/)
    t.match(headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-store',
    })
    t.notMatch(body, / style=| on\w+=|<script>|<style|javascript:/, `${url} has nothing inline`)
    t.notMatch(body, /src="http|href="http/, `${url} loads nothing from elsewhere`)
    if (body.startsWith('<!doctype')) {
      t.match(body, /<html lang="fr">/)
      t.equal(body.match(/<h1/g)?.length, 1, `${url} has one heading`)
      t.match(body, /<title>[^<]+ · Préau<\/title>/)
    }
  }
  const pages = [
    '/',
    '/requests',
    `/requests/${id}`,
    '/grants',
    '/policy',
    '/audit',
    '/users',
    '/account',
  ]
  for (const url of pages) await visit(url, 200)
  await visit('/nope', 404)
  await visit('/requests/nope', 404)
  await visit('/setup?token=x', 410)
  await visit('/readyz', 200)
  await world.store.close()
  await visit('/', 503)
  await visit('/healthz', 200)
})

t.test('an error of the inside is not told outside', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const list = world.store.list.bind(world.store)
  world.store.list = () => Promise.reject(new TypeError('a fault of ours'))
  const fault = await claire.get('/grants')
  t.equal(fault.statusCode, 500)
  t.match(fault.body, 'Préau n’a pas pu répondre')
  world.store.list = list
  await world.store.close()
  const answer = await claire.get('/grants')
  t.equal(answer.statusCode, 503, 'a store that is down says so')
  t.match(answer.headers, { 'retry-after': '10' })
  t.match(answer.body, 'La base ne répond pas')
  for (const { body } of [fault, answer]) {
    t.notMatch(body, 'the store is closed')
    t.notMatch(body, 'a fault of ours')
    t.notMatch(body, /at \w+ \(|node_modules/)
  }
  t.strictSame((await claire.get('/healthz')).json(), { status: 'ok' })
})

t.test('what people typed or browsed to is shown, never run', async t => {
  const world = await openWorld(t)
  const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'\u202e`
  await world.user('Claire', 'dsi')
  await world.store.commit(
    { by: evil, action: evil, subject: evil, detail: { [evil]: evil }, at: world.clock.now },
    [{ kind: 'user', id: 'evil', body: { name: evil, role: 'reader', password: 'x', at: 0 } }],
  )
  const claire = await world.as('Claire')
  const wish = {
    host: evil as never,
    url: `https://x/${evil}`,
    siteName: evil,
    askers: [[evil, evil, 1]],
    id: evil,
  } as const
  await world.ask(wish)
  const refused = await world.ask({ ...wish, id: 'refused' })
  await claire.post(`/requests/${refused}/refuse`, { reason: evil })
  await world.grant({
    host: evil as never,
    by: evil,
    scope: { kind: 'room', site: evil, room: evil },
  })
  await world.grant({ host: evil as never, by: evil, origin: 'acknowledged' })
  const urls = [
    '/',
    '/requests',
    '/requests/refused',
    `/requests/${encodeURIComponent(evil)}`,
    '/grants',
    '/audit',
    '/users',
    `/audit?q=${encodeURIComponent(evil)}`,
    `/sign-in?next=${encodeURIComponent(evil)}`,
    `/?done=${encodeURIComponent(evil)}`,
    `/?before=${encodeURIComponent(evil)}`,
  ]
  for (const url of urls) {
    const { body } = await claire.get(url)
    t.notMatch(body, /<script>|<img src=x/, url)
  }
  const anonymous = world.browser()
  const signIn = await anonymous.signIn(evil, 'x')
  t.notMatch(signIn.body, /<script>|<img src=x/)
})

t.test('the pages speak English to those who ask for it', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  await world.ask()
  const page = await claire.get('/', { 'accept-language': 'en-GB,en;q=0.9' })
  t.match(page.body, '<html lang="en">')
  t.match(page.body, '1 pending request')
})

t.test('the list says at a glance which site, why, where, how often and since when', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  t.match((await claire.get('/')).body, 'Aucune demande en attente')
  await world.ask({
    url: 'https://jeux.example/cm2/volcans',
    clicks: 7,
    askers: [
      ['10.1.1.21', 'Salle 1', 3],
      ['10.1.1.22', 'Salle 1', 2],
    ],
  })
  const { body } = await claire.get('/')
  for (const words of [
    '<title>(1) ',
    'jeux.example',
    '/cm2/volcans',
    'Jeux en ligne',
    'École Jean-Moulin',
    'Salle 1',
    '2 postes',
    '7 clics',
    /il y a 3\u00a0min/,
    'lundi 14 septembre 2026 à 10:37:00',
  ]) {
    t.match(body, words)
  }
  t.match(body, /<option value="room" selected/)
})

t.test('the audit log reads as sentences, by pages, and can be searched', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  await claire.post(`/requests/${id}/approve`, { scope: 'room', duration: 'day' })
  const { body } = await claire.get('/audit')
  t.match(body, 'a débloqué jeux.example')
  t.match(body, 'Cette salle · École Jean-Moulin · Salle 1 · Ce soir')
  t.match(body, 'Poste 10.1.1.21')
  for (let i = 0; i < 60; i++) await world.ask({ host: `site-${i}.example` as never })
  const first = await claire.get('/audit')
  const older = /href="(\/audit\?before=\d+)"/.exec(first.body)?.[1] ?? ''
  t.notMatch(first.body, 'site-0.example')
  t.match((await claire.get(older)).body, 'site-0.example')
  const found = await claire.get('/audit?q=SITE-41')
  t.match(found.body, 'site-41.example')
  t.notMatch(found.body, 'site-42.example')
})

t.test('the decisions and the request page tell the whole story of a site', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const before = await world.ask({ site: '0590002B', askers: [['10.2.1.3', 'CM2', 90]] })
  await claire.post(`/requests/${before}/refuse`, { reason: 'Contraire à la charte' })
  const id = await world.ask()
  const { body } = await claire.get(`/requests/${id}`)
  for (const words of [
    'Jeux en ligne',
    'Salle 1, École Jean-Moulin',
    'Toute l’école Jean-Moulin',
    'École Marie-Curie',
    'Contraire à la charte',
    'https://jeux.example/',
  ]) {
    t.match(body, words)
  }
  const decided = await claire.get('/requests')
  t.match(decided.body, 'Contraire à la charte')
  t.notMatch(decided.body, `/requests/${id}"`, 'pending ones are not among the decisions')
})

t.test(
  'the policy page names profiles, schools, networks, rules and the commands to change them',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const { body } = await (await world.as('Claire')).get('/policy')
    for (const words of [
      'Élèves',
      'Réseaux sociaux',
      'Achats en ligne',
      'Sites pour adultes',
      'École des Tilleuls',
      '10.3.1.0/24',
      'href="/local"',
      'preau policy import',
      '127.0.0.1:3128',
      '8F:1C:AA:02',
    ]) {
      t.match(body, words)
    }
  },
)
