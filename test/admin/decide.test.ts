import t from 'tap'
import { CURRENT } from '../../src/policy/document.ts'
import { openWorld } from './world.ts'

const MINUTE_MS = 60_000
const JSON_ONLY = { headers: { accept: 'application/json' } }

t.test('approving opens the site for whom and as long as the form says, in one commit', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const { now } = world.clock
  const site = '0590001A'
  const endOfDay = Date.UTC(2026, 8, 14, 22)
  const cases = [
    ['pc', 'hour', { kind: 'pc', ip: '10.1.1.21' }, now + 60 * MINUTE_MS],
    ['room', 'day', { kind: 'room', site, room: 'Salle 1' }, endOfDay],
    ['site', 'week', { kind: 'site', site }, now + 7 * 24 * 60 * MINUTE_MS],
    ['city', 'forever', { kind: 'city' }, null],
  ] as const
  for (const [scope, duration, expectedScope, until] of cases) {
    const id = await world.ask({ host: `${scope}.example` as never })
    const answer = await claire.post(`/requests/${id}/approve`, { scope, duration })
    t.equal(answer.statusCode, 303)
    t.equal(answer.headers.location, `/?done=${id}#r-${id}`)
    const decision = (await world.store.get('request', id))?.body.decision
    t.match(decision, { outcome: 'approved', by: 'Claire', at: now })
    const grantId = decision?.outcome === 'approved' ? decision.grant : ''
    const grant = (await world.store.get('grant', grantId))?.body
    t.match(grant, {
      host: `${scope}.example`,
      scope: expectedScope,
      until,
      by: 'Claire',
      requestId: id,
    })
    const [entry] = await world.store.tail({ limit: 1 })
    t.match(entry, { by: 'Claire', action: 'request.approve', subject: `${scope}.example` })
  }
})

t.test(
  'what is closed separately below a site opens only where that was ticked, and it is told',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    const policy = (await world.store.get('policy', CURRENT))?.body
    const rules = [
      { host: 'chat.jeux.example' as never, action: 'block' as const },
      { host: 'jeux.example.fr' as never, action: 'block' as const },
    ]
    await world.store.commit({ by: 'Claire', action: 'policy.import', at: 1 }, [
      { kind: 'policy', id: CURRENT, body: { ...policy!, rules } },
    ])
    for (const narrower of [undefined, 'on']) {
      const id = await world.ask({ host: 'jeux.example' as never })
      const page = (await claire.get(`/requests/${id}`)).body
      t.match(page, 'Vos règles y ferment\u202f: chat.jeux.example.')
      const form = { scope: 'city', duration: 'hour', ...(narrower && { narrower }) }
      t.equal((await claire.post(`/requests/${id}/approve`, form)).statusCode, 303)
      const decision = (await world.store.get('request', id))?.body.decision
      const grantId = decision?.outcome === 'approved' ? decision.grant : ''
      const grant = (await world.store.get('grant', grantId))?.body
      t.equal(grant?.opensNarrower, narrower === undefined ? undefined : true)
      const [entry] = await world.store.tail({ limit: 1 })
      t.equal(entry?.detail?.['opensNarrower'], narrower === undefined ? undefined : true)
    }
  },
)

t.test('the list proposes the narrowest scope that helps everybody who asked', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const cases = [
    [[['10.1.1.21', 'Salle 1', 1]], {}, 'pc'],
    [
      [
        ['10.1.1.21', 'Salle 1', 2],
        ['10.1.1.22', 'Salle 1', 1],
      ],
      {},
      'room',
    ],
    [
      [
        ['10.1.1.21', 'Salle 1', 2],
        ['10.1.2.22', 'Salle 2', 1],
      ],
      {},
      'site',
    ],
    [
      [
        ['192.168.9.1', '', 2],
        ['192.168.9.2', '', 1],
      ],
      { site: 'unknown', siteName: '' },
      'pc',
    ],
  ] as const
  for (const [askers, wish, scope] of cases) {
    const id = await world.ask({ askers, ...wish })
    const page = (await claire.get(`/requests/${id}`)).body
    t.equal(/value="(\w+)" checked/.exec(page)?.[1], scope)
  }
  const unknown = await world.ask({
    site: 'unknown',
    siteName: '',
    askers: [['192.168.9.1', '', 1]],
  })
  const answer = await claire.post(`/requests/${unknown}/approve`, {
    scope: 'room',
    duration: 'hour',
  })
  t.equal(answer.statusCode, 400, 'an unknown network has no room')
})

t.test('a refusal keeps the reason that the teacher will read', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  const answer = await claire.post(
    `/requests/${id}/refuse`,
    { reason: '  Jeu sans lien\r\navec un cours\u202e ' },
    JSON_ONLY,
  )
  t.equal(answer.statusCode, 200)
  t.match(answer.json().text, 'jeux.example reste bloqué')
  t.match((await world.store.get('request', id))?.body.decision, {
    outcome: 'refused',
    by: 'Claire',
    reason: 'Jeu sans lien avec un cours',
  })
})

t.test('a category that is never opened stays closed, whatever is sent', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask({ category: 'adult', reason: 'never-grantable' })
  const answer = await claire.post(
    `/requests/${id}/approve`,
    { scope: 'pc', duration: 'hour' },
    JSON_ONLY,
  )
  t.equal(answer.statusCode, 403)
  t.equal(answer.json().error, 'PREAU_NEVER_GRANTABLE')
  t.equal(await world.store.count('grant'), 0)
  t.match((await claire.get('/')).body, 'ne peut jamais être débloquée')
})

t.test('when two people decide, one wins and the other reads who it was', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.user('Karim', 'dsi')
  const [claire, karim] = [await world.as('Claire'), await world.as('Karim')]
  const id = await world.ask()
  const answers = await Promise.all([
    claire.post(`/requests/${id}/approve`, { scope: 'pc', duration: 'hour' }, JSON_ONLY),
    karim.post(`/requests/${id}/refuse`, { reason: 'Site commercial' }, JSON_ONLY),
  ])
  t.strictSame(
    answers.map(answer => answer.statusCode).sort((a, b) => a - b),
    [200, 409],
  )
  const loser = answers.find(answer => answer.statusCode === 409)
  const winner = (await world.store.get('request', id))?.body.decision?.by
  t.match(loser?.json(), { error: 'PREAU_ALREADY_DECIDED', text: `déjà été traitée par ${winner}` })
  t.equal(await world.store.count('grant'), winner === 'Claire' ? 1 : 0)
  const page = await karim.post(`/requests/${id}/refuse`, { reason: 'Site commercial' })
  t.equal(page.statusCode, 409)
  t.match(page.body, `déjà été traitée par ${winner}`)
  t.match((await karim.get(`/requests/${id}`)).body, winner)
})

t.test('what does not exist is 404, for every kind of id', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const form = {
    scope: 'pc',
    duration: 'hour',
    reason: 'x',
    role: 'dsi',
    state: 'enabled',
    password: 'une phrase assez longue',
  }
  for (const url of [
    '/requests/nope',
    '/requests/..%2fx',
    '/requests/%00',
    '/nope',
    '/assets/nope.js',
    '/assets/%2e%2e/package.json',
    '/.git/config',
  ]) {
    const answer = await claire.get(url)
    t.equal(answer.statusCode, 404, url)
  }
  for (const url of [
    '/requests/nope/approve',
    '/requests/nope/refuse',
    '/requests/nope/undo',
    '/grants/nope/revoke',
    '/users/nope/role',
    '/users/nope/state',
    '/users/nope/password',
  ]) {
    t.equal((await claire.post(url, form)).statusCode, 404, url)
  }
})

t.test('a request is marked as seen once, and only by those who decide', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const [one, two] = [await world.ask(), await world.ask({ host: 'autre.example' as never })]
  await claire.get('/')
  await claire.get('/requests/pending')
  t.equal(
    (await world.store.get('request', one))?.body.seenAt,
    undefined,
    'reading the list marks nothing',
  )
  const seenAt = world.clock.now
  t.equal((await claire.post('/requests/seen', { ids: `${one},${two},nope` })).statusCode, 204)
  t.equal((await world.store.get('request', one))?.body.seenAt, seenAt)
  t.equal((await world.store.get('request', two))?.body.seenAt, seenAt)
  world.clock.now += 1_000
  const [entry] = await world.store.tail({ limit: 1 })
  await claire.post('/requests/seen', { ids: one })
  t.equal((await world.store.get('request', one))?.body.seenAt, seenAt)
  t.strictSame((await world.store.tail({ limit: 1 }))[0], entry, 'the second time writes nothing')
  const many = Array.from({ length: 51 }, (_, i) => `id-${i}`).join(',')
  t.equal((await claire.post('/requests/seen', { ids: many })).statusCode, 400)
})

t.test('whoever opens the page of a request, or decides, has seen it', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.user('Élodie', 'reader')
  const [claire, elodie] = [await world.as('Claire'), await world.as('Élodie')]
  const seenAt = async (id: string) => (await world.store.get('request', id))?.body.seenAt
  const read = await world.ask({ host: 'lu.example' as never })
  t.match((await elodie.get(`/requests/${read}`)).body, 'Pas encore', 'a reader decides nothing')
  await claire.get(`/requests/${read}`, { 'sec-purpose': 'prefetch' })
  t.equal(await seenAt(read), undefined, 'nobody has looked yet')
  t.notMatch((await claire.get(`/requests/${read}`)).body, 'Pas encore')
  t.equal(await seenAt(read), world.clock.now)
  for (const [verb, form] of [
    ['approve', { scope: 'pc', duration: 'hour' }],
    ['refuse', { reason: 'Site commercial' }],
  ] as const) {
    const id = await world.ask({ host: `${verb}.example` as never })
    await claire.post(`/requests/${id}/${verb}`, form)
    t.equal(await seenAt(id), world.clock.now, verb)
    t.notMatch((await claire.get(`/requests/${id}`)).body, 'Pas encore')
  }
  const decision = { outcome: 'refused', by: 'Claire', at: world.clock.now, reason: 'x' } as const
  const old = await world.ask({ host: 'ancien.example' as never, decision })
  t.notMatch((await claire.get(`/requests/${old}`)).body, 'Pas encore', 'also of an older Préau')
})

t.test(
  'a row says what was decided the last time, and of an unknown network the address',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const claire = await world.as('Claire')
    const id = await world.ask()
    await claire.post(`/requests/${id}/refuse`, { reason: 'Jeu sans lien' })
    const decision = (await world.store.get('request', id))?.body.decision
    t.match(decision, { againAt: world.clock.now + 15 * MINUTE_MS })
    world.clock.now += MINUTE_MS
    if (decision?.outcome !== 'refused') throw new TypeError('not refused')
    await world.ask({ previous: decision })
    const unknown = { site: 'unknown', siteName: '' }
    await world.ask({ ...unknown, askers: [['192.168.9.1', '', 1]] })
    await world.ask({ ...unknown, askers: [['192.168.9.2', '', 1]] })
    const { body } = await claire.get('/')
    t.match(
      body,
      /Déjà refusée<\/span> <time[^>]*>il y a 1.min<\/time>\s+· <bdi>Claire<\/bdi>.: <bdi>Jeu sans lien/,
    )
    t.match(body, '<bdi>192.168.9.1</bdi>')
    t.match(body, 'Ce poste (192.168.9.2)')
  },
)

t.test('a city without a policy still gets its pages', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  await world.store.commit({ by: 'test', action: 'test', at: 0 }, [
    { kind: 'policy', id: CURRENT, body: null },
  ])
  for (const url of ['/', '/policy', '/grants', '/audit'])
    t.equal((await claire.get(url)).statusCode, 200, url)
})

t.test('the same click twice is one decision, whatever the browser does', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const entries = async () => (await world.store.tail({ limit: 100 })).length
  for (const [verb, form, other] of [
    ['approve', { scope: 'pc', duration: 'hour' }, { scope: 'city', duration: 'hour' }],
    ['refuse', { reason: 'Site commercial' }, { reason: 'Contraire à la charte' }],
  ] as const) {
    const id = await world.ask({ host: `${verb}.example` as never })
    const click = { version: '1', ...form }
    const first = await claire.post(`/requests/${id}/${verb}`, click, JSON_ONLY)
    const before = await entries()
    const second = await claire.post(`/requests/${id}/${verb}`, click, JSON_ONLY)
    t.strictSame([second.statusCode, second.json()], [200, first.json()], verb)
    t.equal(await entries(), before, 'nothing is written')
    const another = await claire.post(`/requests/${id}/${verb}`, { version: '1', ...other })
    t.equal(another.statusCode, 409, 'another decision is not the same click')
    await claire.post(`/requests/${id}/undo`)
    const late = await claire.post(`/requests/${id}/${verb}`, click, JSON_ONLY)
    t.equal(late.json().error, 'PREAU_PAGE_CHANGED', 'a click from before the undo')
    t.equal((await world.store.get('request', id))?.body.decision, undefined)
    const version = (await world.store.get('request', id))?.version
    const again = await claire.post(`/requests/${id}/${verb}`, {
      ...form,
      version: String(version),
    })
    t.equal(again.statusCode, 303)
  }
  const odd = await world.ask({ host: 'autre.example' as never })
  const wrong = { scope: 'pc', duration: 'hour', version: '1e3' }
  t.equal((await claire.post(`/requests/${odd}/approve`, wrong)).statusCode, 400)
})

t.test('a click on a page that has only just appeared decides nothing', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const [one, two] = [await world.ask(), await world.ask({ host: 'autre.example' as never })]
  const { headers } = await claire.post(`/requests/${one}/approve`, {
    scope: 'pc',
    duration: 'hour',
  })
  const page = await claire.get(String(headers.location).replace(/#.*/, ''))
  const shown = /name="shown" value="(\d+)"/.exec(page.body)?.[1] ?? ''
  const click = { scope: 'pc', duration: 'hour', version: '1', done: one, shown }
  world.clock.now += 300
  const early = await claire.post(`/requests/${two}/approve`, click)
  t.equal(early.headers.location, headers.location, 'the page stands where it stood')
  const script = await claire.post(`/requests/${two}/refuse`, { ...click, reason: 'x' }, JSON_ONLY)
  t.equal(script.json().error, 'PREAU_PAGE_CHANGED')
  t.equal((await world.store.get('request', two))?.body.decision, undefined)
  world.clock.now += 200
  await claire.post(`/requests/${two}/approve`, click)
  t.equal((await world.store.get('request', two))?.body.decision?.outcome, 'approved')
})

t.test('a pupil who joins the request at the same instant does not undo the click', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  for (const [verb, form] of [
    ['approve', { scope: 'pc', duration: 'hour' }],
    ['refuse', { reason: 'Site commercial' }],
  ] as const) {
    const id = await world.ask({ host: `${verb}.example` as never })
    const { store } = world
    const commit = store.commit.bind(store)
    store.commit = async (note, changes) => {
      store.commit = commit
      const row = await store.get('request', id)
      if (row === undefined) throw new TypeError('no request')
      await commit({ by: 'pc:10.1.1.22', action: 'request.join', at: 0 }, [
        { kind: 'request', id, body: { ...row.body, clicks: row.body.clicks + 1 } },
      ])
      await commit(note, changes)
    }
    t.equal((await claire.post(`/requests/${id}/${verb}`, form)).statusCode, 303, verb)
    const { clicks, decision } = (await store.get('request', id))?.body ?? {}
    t.equal(clicks, 2, 'the click of the pupil is kept')
    t.equal(decision?.by, 'Claire')
  }
})
