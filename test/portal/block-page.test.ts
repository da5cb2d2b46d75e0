import tap from 'tap'
import en from '../../views/locales/portal.en.json' with { type: 'json' }
import fr from '../../views/locales/portal.fr.json' with { type: 'json' }
import { over } from './broken-store.ts'
import { PortalWorld } from './portal-world.ts'

const KEYS = Object.keys(fr)
const DOTTED_KEYS = KEYS.filter(key => key.includes('.'))

const places = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort()

tap.test('French and English have the same texts, with the same places to fill', async t => {
  t.same(Object.keys(en), KEYS)
  for (const key of KEYS as (keyof typeof fr)[]) {
    t.same(places(en[key]), places(fr[key]), key)
  }
})

const REASONS = [
  { name: 'a blocked category', url: 'http://jeux.example/', says: 'Jeux en ligne', asks: true },
  {
    name: 'a category that nobody opens',
    url: 'http://adulte.example/',
    says: 'Cette catégorie ne peut pas être débloquée.',
    asks: false,
  },
  {
    name: 'a rule of the city',
    url: 'http://ville.example/',
    says: 'Décision du 3 mars',
    asks: true,
  },
  {
    name: 'an address in place of a name',
    url: 'http://93.184.216.34/',
    says: 'adresse technique',
    asks: true,
  },
  { name: 'an inner address', url: 'http://192.168.0.1/', says: 'réseau interne', asks: false },
  {
    name: 'a PC that opens chosen sites only',
    url: 'http://libre.example/',
    ip: '10.1.4.2',
    says: 'choisis à l’avance',
    asks: true,
  },
  {
    name: 'closed hours',
    url: 'http://libre.example/',
    ip: '10.1.5.2',
    says: 'Internet est fermé',
    asks: true,
  },
  { name: 'a warning', url: 'http://blog.example/', says: 'Continuer vers le site', asks: false },
]

tap.test('the note of a rule is for those who run the filter, and is on no page here', async t => {
  const world = await PortalWorld.open(t)
  for (const accept of ['text/html', 'application/json', 'image/png']) {
    const { body } = await world.ask('http://ville.example/', { headers: { accept } })
    t.notMatch(body, 'Plainte')
  }
})

for (const { name, url, ip, says, asks } of REASONS) {
  tap.test(`the page explains ${name}, in French first and in English on demand`, async t => {
    const world = await PortalWorld.open(t)
    const options = ip === undefined ? {} : { ip }
    const french = await world.ask(url, options)
    t.equal(french.status, 403)
    t.match(french.body, '<html lang="fr">')
    t.ok(french.body.includes(says), says)
    t.ok(french.body.includes(new URL(url).hostname), 'the host')
    t.equal(french.body.includes('action="/.preau/unblock"'), asks, 'the button')
    const english = await world.ask(url, {
      ...options,
      headers: { 'accept-language': 'en-GB,en;q=0.9,fr;q=0.5' },
    })
    t.match(english.body, '<html lang="en">')
    for (const { body } of [french, english]) {
      t.same(
        DOTTED_KEYS.filter(key => body.includes(`>${key}<`)),
        [],
        'no key is shown raw',
      )
      t.notMatch(body, /undefined|\[object|\{\w+\}<\//)
      t.ok(Buffer.byteLength(body) < 20_000, `${Buffer.byteLength(body)} bytes`)
    }
  })
}

tap.test('the page says which school, which room and which PC', async t => {
  const world = await PortalWorld.open(t)
  const { body } = await world.ask('http://jeux.example/')
  for (const text of [
    'École Jules Ferry',
    'Salle 3',
    '10.1.3.7',
    'Saint-Préau',
    'DSI, poste 4242',
  ]) {
    t.ok(body.includes(text), text)
  }
})

tap.test('a PC that the city does not know is told so, and may ask all the same', async t => {
  const world = await PortalWorld.open(t)
  const { body } = await world.ask('http://jeux.example/', { ip: '172.20.0.9' })
  t.match(body, /Ce poste n’est pas dans la liste de la ville/)
  t.match(body, '172.20.0.9')
  t.notMatch(body, '<dt>École</dt>')
  t.equal((await world.click('http://jeux.example/', { ip: '172.20.0.9' })).status, 303)
  t.equal((await world.requests())[0]?.body.site, 'unknown')
})

tap.test('a PC of no school is told so on every page, and cannot ask', async t => {
  const world = await PortalWorld.open(t)
  world.snapshot = { ...world.snapshot, servesUnknown: false }
  const { status, body } = await world.ask('http://jeux.example/', { ip: '172.20.0.9' })
  t.equal(status, 403)
  t.match(body, '<h1>Internet est fermé sur ce poste</h1>')
  t.match(body, 'Ce poste n’est d’aucune école de la ville.')
  t.match(body, 'Donnez son adresse à la DSI')
  t.notMatch(body, 'débloquée')
  t.match(body, '172.20.0.9')
  t.notMatch(body, 'action="/.preau/unblock"')
  t.equal((await world.click('http://jeux.example/', { ip: '172.20.0.9' })).status, 403)
  t.strictSame(await world.requests(), [])
})

tap.test(
  'the page loads nothing from elsewhere and cannot be framed, stored or sniffed',
  async t => {
    const world = await PortalWorld.open(t)
    const { headers, body } = await world.ask('https://jeux.example/a')
    const csp = String(headers['content-security-policy'])
    t.match(csp, /default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'/)
    t.match(
      csp,
      /connect-src 'self'; form-action 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'/,
    )
    t.notMatch(csp, /unsafe|nonce/)
    t.equal(headers['cache-control'], 'no-store')
    t.equal(headers['x-content-type-options'], 'nosniff')
    t.equal(headers['referrer-policy'], 'same-origin')
    t.match(String(headers.vary), 'Accept-Language')
    t.equal(headers['content-language'], 'fr')
    t.equal(headers['set-cookie'], undefined)
    t.equal(headers['strict-transport-security'], undefined)
    t.notMatch(body, /(?:src|href)="?(?:https?:)?\/\//)
    t.notMatch(body, / style=| on\w+=/, 'nothing that the policy would refuse')
  },
)

tap.test(
  'inside TLS each answer closes the connection, so that the next one is judged anew',
  async t => {
    const world = await PortalWorld.open(t)
    const origin = { origin: 'https://jeux.example' }
    const answers = [
      await world.ask('https://jeux.example/'),
      await world.ask('https://jeux.example/a.png', { headers: { 'sec-fetch-dest': 'image' } }),
      await world.click('https://jeux.example/'),
      await world.click('https://jeux.example/', { headers: { 'sec-fetch-site': 'cross-site' } }),
      await world.ask('https://adulte.example/.preau/follow', { headers: origin }),
    ]
    for (const { headers, status } of answers) t.equal(headers.connection, 'close', String(status))
    const follow = await world.open('https://jeux.example/.preau/follow')
    t.equal(follow.headers.connection, 'close')
    follow.destroy()
  },
)

tap.test('a picture, a script or a call gets one line of text', async t => {
  const world = await PortalWorld.open(t)
  for (const destination of ['image', 'script', 'style', 'empty']) {
    const { status, headers, body } = await world.ask('https://jeux.example/x', {
      headers: { 'sec-fetch-dest': destination },
    })
    t.equal(status, 403)
    t.equal(headers['content-type'], 'text/plain; charset=utf-8')
    t.equal(body, 'Préau\u202f: jeux.example n’est pas ouvert ici (Jeux en ligne).\n')
  }
  const picture = await world.ask('http://jeux.example/x.png', {
    headers: { accept: 'image/avif,image/webp,*/*;q=0.8' },
  })
  t.equal(
    picture.headers['content-type'],
    'text/plain; charset=utf-8',
    'plain HTTP has no Sec-Fetch-Dest',
  )
  const page = await world.ask('https://jeux.example/', {
    headers: { 'sec-fetch-dest': 'document' },
  })
  t.match(page.headers['content-type'], 'text/html')
})

tap.test('any path and any method on the refused origin gives the page', async t => {
  const world = await PortalWorld.open(t)
  const paths = [
    '',
    '/',
    '/a/b?c=d',
    '/%zz',
    '/%',
    '/.preau/',
    '/.preau/other',
    '/.preau/unblock',
    '/x'.repeat(4_000),
    '/é€',
  ]
  for (const path of paths) {
    const { status, headers } = await world.ask(
      encodeURI(`http://jeux.example${path}`).replaceAll('%25', '%'),
    )
    t.equal(status, 403, path.slice(0, 40))
    t.match(headers['content-type'], 'text/html')
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
    const { status } = await world.ask('http://jeux.example/form', {
      method,
      body: '{"a":1}',
      headers: { 'content-type': 'application/json', 'content-length': '7' },
    })
    t.equal(status, 403, method)
  }
  const head = await world.ask('http://jeux.example/', { method: 'HEAD' })
  t.equal(head.status, 403)
  t.equal(head.body, '')
})

tap.test('a small upload to a blocked site is read to its end, a large one is cut', async t => {
  const world = await PortalWorld.open(t)
  const small = await world.ask('http://jeux.example/up', {
    method: 'POST',
    body: 'x'.repeat(60_000),
    headers: { connection: 'keep-alive' },
  })
  t.equal(small.status, 403)
  t.not(small.headers.connection, 'close')
  const large = await world
    .ask('http://jeux.example/up', { method: 'POST', body: 'x'.repeat(10_000_000) })
    .catch((error: NodeJS.ErrnoException) => error)
  if (large instanceof Error) t.match(['ECONNRESET', 'EPIPE'], [large.code])
  else {
    t.equal(large.status, 403)
    t.equal(large.headers.connection, 'close')
  }
})

tap.test('a request that the proxy did not refuse is no business of the portal', async t => {
  const world = await PortalWorld.open(t)
  const { status, body } = await world.ask('/page')
  t.equal(status, 400)
  t.match(body, 'Demande incomprise')
})

tap.test('a store that is slow or down costs the state, not the page', async t => {
  const down = await PortalWorld.open(t, {
    wrap: store => over(store, { get: () => Promise.reject(new Error('down')) }),
  })
  const without = await down.ask('http://jeux.example/')
  t.equal(without.status, 403)
  t.match(without.body, 'Demander le déblocage')
})

tap.test('a store that does not answer is not waited for', async t => {
  const slow = await PortalWorld.open(t, {
    wrap: store => over(store, { get: () => new Promise(() => {}) }),
  })
  const started = performance.now()
  t.match((await slow.ask('http://jeux.example/')).body, 'Demander le déblocage')
  t.ok(performance.now() - started < 2_000)
})
