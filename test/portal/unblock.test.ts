import tap from 'tap'
import { PreauError } from '../../src/errors.ts'
import type { Store } from '../../src/store/store.ts'
import { over } from './broken-store.ts'
import { PortalWorld } from './portal-world.ts'

const PAGE = 'http://jeux.example/partie?id=7'

tap.test('a click without script makes one request and shows its state on the page', async t => {
  const world = await PortalWorld.open(t)
  const click = await world.click(PAGE)
  t.equal(click.status, 303)
  t.equal(click.headers.location, PAGE)
  const [request, ...others] = await world.requests()
  t.same(others, [])
  t.match(request?.body, {
    host: 'jeux.example',
    port: 80,
    url: 'http://jeux.example/partie',
    reason: 'blocked-category',
    category: 'games',
    site: '0750001A',
    siteName: 'École Jules Ferry',
    askers: [{ ip: '10.1.3.7', room: 'Salle 3', at: world.now }],
    clicks: 1,
  })
  const page = await world.ask(PAGE)
  t.match(page.body, 'Demande envoyée à 10:42')
  t.match(page.body, '<noscript><meta http-equiv="refresh" content="5"')
  t.match(page.body, /<form id="ask"[^>]* hidden/)
  const [entry] = await world.store.tail({ limit: 1 })
  t.match(entry, {
    by: 'pc:10.1.3.7',
    action: 'request.open',
    subject: 'jeux.example',
    at: world.now,
  })
})

tap.test('the page follows the request to its end without script', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  world.now += 60_000
  await world.see()
  t.match((await world.ask(PAGE)).body, 'Demande envoyée à 10:42 · vue par la DSI à 10:43')
  await world.approve()
  t.match((await world.ask(PAGE)).body, 'Acceptée, ouverture…')
  await world.swap()
  t.equal((await world.ask(PAGE)).body, 'the site itself')
})

tap.test('a refused request shows its reason, and may be asked again', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.refuse('Pas pendant le cours de M. <b>Martin</b>')
  const page = await world.ask(PAGE)
  t.match(page.body, 'La DSI n’a pas accepté')
  t.match(page.body, 'Pas pendant le cours de M. &lt;b&gt;Martin')
  t.match(page.body, /<button[^>]*>\s*Demander à nouveau/)
  world.now += 1_000
  t.match(JSON.parse((await world.clickJson(PAGE)).body), { state: 'sent' })
  t.equal((await world.requests()).length, 2)
})

tap.test(
  'what was refused is not asked again at once: the page says from when, the row says what was',
  async t => {
    const world = await PortalWorld.open(t)
    await world.click(PAGE)
    const minute = 60_000
    await world.refuse('Pas en cours', world.now + 15 * minute)
    const page = await world.ask(PAGE)
    t.match(page.body, 'Ce site pourra être redemandé à 10:57.')
    t.match(page.body, /<form id="ask"[^>]* hidden/)
    world.now += 14 * minute
    t.match(JSON.parse((await world.clickJson(PAGE, { ip: '10.1.3.8' })).body), {
      state: 'refused',
      isTooSoon: true,
    })
    t.equal((await world.requests()).length, 1, 'nothing is written')
    world.now += minute
    t.match((await world.ask(PAGE)).body, /<button[^>]*>\s*Demander à nouveau/)
    t.match(JSON.parse((await world.clickJson(PAGE)).body), { state: 'sent' })
    t.match((await world.requests())[0]?.body.previous, {
      outcome: 'refused',
      by: 'dsi',
      reason: 'Pas en cours',
    })
  },
)

tap.test('a clock that was set back keeps nobody from asking', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.refuse('Pas en cours', world.now + 60_000)
  world.now -= 3_600_000
  t.match(JSON.parse((await world.clickJson(PAGE)).body), { state: 'sent' })
})

tap.test('who asks although it was opened for others is a row that says for whom', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.approve('pc')
  await world.swap()
  await world.click(PAGE, { ip: '10.1.3.8' })
  t.match((await world.requests())[0]?.body.previous, {
    outcome: 'approved',
    scope: { kind: 'pc', ip: '10.1.3.7' },
  })
})

tap.test('of unknown networks each address asks for itself, and is opened for itself', async t => {
  const world = await PortalWorld.open(t)
  const [one, two] = ['192.168.9.1', '192.168.9.2']
  await world.click(PAGE, { ip: one })
  t.match((await world.ask(PAGE, { ip: two })).body, /<form id="ask"[^>]*>/)
  await world.click(PAGE, { ip: two })
  const askers = (await world.requests()).map(({ body }) => body.askers.map(({ ip }) => ip))
  t.strictSame(askers, [[two], [one]])
  await world.approve('pc')
  await world.swap()
  t.equal((await world.ask(PAGE, { ip: two })).body, 'the site itself', 'the newest was opened')
  t.match((await world.ask(PAGE, { ip: one })).body, 'Demande envoyée')
})

tap.test('a click between the approval and the opening asks for nothing anew', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.approve()
  const late = await world.clickJson(PAGE, { ip: '10.1.3.8' })
  t.match(JSON.parse(late.body), { state: 'approved', text: 'Acceptée, ouverture…' })
  t.equal((await world.requests()).length, 1)
})

tap.test('a request of another day shows its date', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  world.now += 24 * 3_600_000
  t.match((await world.ask(PAGE)).body, 'Demande envoyée le 2 mars à 10:42')
})

tap.test('an approval for one PC leaves the others a button and a hint', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.approve('pc')
  await world.swap()
  t.equal((await world.ask(PAGE)).body, 'the site itself')
  const other = await world.ask(PAGE, { ip: '10.1.3.8' })
  t.match(other.body, /pour un autre poste, pas pour celui-ci/)
  t.equal((await world.click(PAGE, { ip: '10.1.3.8' })).status, 303)
  t.equal((await world.requests()).length, 2)
})

tap.test('other PCs of the school join the request; another school makes its own', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE)
  await world.click(PAGE, { ip: '10.1.3.8' })
  await world.click('http://jeux.example/autre', { ip: '10.1.3.9' })
  const [request, ...others] = await world.requests()
  t.same(others, [])
  t.equal(request?.body.clicks, 3)
  t.same(
    request?.body.askers.map(asker => asker.ip),
    ['10.1.3.7', '10.1.3.8', '10.1.3.9'],
  )
  t.match((await world.ask(PAGE)).body, '3 postes de l’école attendent ce site')
  await world.click(PAGE, { ip: '10.2.0.1' })
  t.equal((await world.requests()).length, 2)
})

tap.test('a PC that clicks again and again is written once in ten seconds', async t => {
  const world = await PortalWorld.open(t)
  for (let clicks = 0; clicks < 5; clicks++) t.equal((await world.click(PAGE)).status, 303)
  t.equal((await world.store.tail({ limit: 10 })).length, 1)
  world.now += 10_000
  await world.click(PAGE)
  const [request] = await world.requests()
  t.equal(request?.body.clicks, 2)
  t.equal(request?.body.askers.length, 1)
})

tap.test('thirty PCs that click at the same moment make one request', async t => {
  const world = await PortalWorld.open(t)
  const ips = Array.from({ length: 30 }, (_, i) => `10.1.3.${i + 1}`)
  const answers = await Promise.all(ips.map(ip => world.click(PAGE, { ip })))
  t.same(new Set(answers.map(({ status }) => status)), new Set([303]))
  const [request, ...others] = await world.requests()
  t.same(others, [])
  t.equal(request?.body.clicks, 30)
})

tap.test('two processes that open at the same moment make one request', async t => {
  // Both have read « no request » before either writes.
  const waiting: (() => void)[] = []
  const wrap = (store: Store): Store =>
    over(store, {
      commit: async (note, changes) => {
        if (waiting.length < 2) {
          await new Promise<void>(resolve => {
            waiting.push(resolve)
            if (waiting.length === 2) for (const go of waiting) go()
          })
        }
        return store.commit(note, changes)
      },
    })
  const world = await PortalWorld.open(t, { wrap })
  const second = await world.secondPortal(t, { wrap })
  const answers = await Promise.all([
    world.clickJson(PAGE),
    world.clickJson(PAGE, { ip: '10.1.3.8', portal: second }),
  ])
  for (const { status, body } of answers) t.match([status, JSON.parse(body).state], [200, 'sent'])
  const [request, ...others] = await world.requests()
  t.same(others, [])
  t.equal(request?.body.clicks, 2)
})

tap.test('the script gets the state as JSON', async t => {
  const world = await PortalWorld.open(t)
  const { status, headers, body } = await world.clickJson(PAGE, {
    headers: { 'accept-language': 'en' },
  })
  t.equal(status, 200)
  t.match(headers['content-type'], 'application/json')
  t.equal(headers['cache-control'], 'no-store')
  t.match(JSON.parse(body), { state: 'sent', text: 'Request sent at 10:42' })
})

tap.test('of the address only scheme, host and path are kept', async t => {
  const rows = [
    ['https://user:secret@jeux.example/a?token=1#x', 'https://jeux.example/a'],
    ['https://jeux.example.:443/b', 'https://jeux.example/b'],
    ['https://evil.example/c', 'https://jeux.example/'],
    ['http://jeux.example/d', 'https://jeux.example/'],
    ['https://jeux.example:8443/e', 'https://jeux.example/'],
    ['https://jeux.example/.preau/unblock', 'https://jeux.example/'],
    ['javascript:alert(1)', 'https://jeux.example/'],
    [`https://jeux.example/${'x'.repeat(3_000)}`, `https://jeux.example/${'x'.repeat(2_027)}`],
  ]
  for (const [referer = '', kept] of rows) {
    const world = await PortalWorld.open(t)
    const { status, headers } = await world.click('https://jeux.example/', { headers: { referer } })
    t.equal(status, 303)
    t.match(headers.location, /^https:\/\/jeux\.example\//)
    t.notMatch(headers.location, /evil|secret|8443|preau/)
    t.equal((await world.requests())[0]?.body.url, kept, referer.slice(0, 60))
  }
})

tap.test('a click that does not come from our page on the refused origin is refused', async t => {
  const world = await PortalWorld.open(t)
  const forged: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: 'https://jeux.example' },
    { origin: 'http://jeux.example:8080' },
    { origin: 'http://jeux.example.evil.example' },
  ]
  for (const headers of forged) {
    const { status, body } = await world.click(PAGE, { headers })
    t.equal(status, 403, JSON.stringify(headers))
    t.match(body, 'Action non autorisée')
  }
  t.same(await world.requests(), [])
})

tap.test('what cannot be asked for is refused, whatever the form says', async t => {
  const world = await PortalWorld.open(t)
  for (const url of [
    'http://adulte.example/',
    'http://192.168.0.1/',
    'http://blog.example/',
    'http://preau.internal/',
  ]) {
    const { status } = await world.click(url, {
      body: 'host=jeux.example&site=0750002B&ip=10.2.0.1',
    })
    t.ok(status === 403 || status === 404, `${url} ${status}`)
  }
  t.same(await world.requests(), [])
  await world.click(PAGE, { body: 'host=evil.example&site=0750002B&ip=10.2.0.1' })
  t.match((await world.requests())[0]?.body, {
    host: 'jeux.example',
    site: '0750001A',
    askers: [{ ip: '10.1.3.7' }],
  })
})

tap.test('a form that is too large or of another kind is refused', async t => {
  const world = await PortalWorld.open(t)
  t.equal((await world.click(PAGE, { body: `a=${'x'.repeat(5_000)}` })).status, 413)
  t.strictSame(world.limited, ['formBytes'])
  const json = await world.click(PAGE, {
    body: '{}',
    headers: { 'content-type': 'application/xml' },
  })
  t.equal(json.status, 415)
  t.same(await world.requests(), [])
})

const down = () =>
  Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'disk /secret' }))

tap.test('a store that is down is told honestly, and nothing says « envoyée »', async t => {
  const world = await PortalWorld.open(t, { wrap: store => over(store, { commit: down }) })
  const page = await world.click(PAGE)
  t.equal(page.status, 503)
  t.match(page.body, 'Impossible pour le moment')
  t.notMatch(page.body, 'secret')
  t.match(page.body, 'href="http://jeux.example/partie?id=7"')
  const json = await world.clickJson(PAGE)
  t.equal(json.status, 503)
  t.match(JSON.parse(json.body), { text: /pas encore partie/ })
  t.notMatch((await world.ask(PAGE)).body, 'Demande envoyée')
})
