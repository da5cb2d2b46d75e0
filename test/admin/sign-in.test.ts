import t from 'tap'
import { PreauError } from '../../src/errors.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { openWorld, PASSWORD, tokenOf } from './world.ts'

const MINUTE_MS = 60_000

t.test('without a session every page leads to the sign-in page, and back afterwards', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const browser = world.browser()
  const first = await browser.get('/audit?q=kahoot')
  t.equal(first.statusCode, 303)
  t.equal(first.headers.location, '/sign-in?next=%2Faudit%3Fq%3Dkahoot')
  browser.csrf = tokenOf(await browser.get(String(first.headers.location)))
  const done = await browser.post('/sign-in', {
    name: 'CLAIRE',
    password: PASSWORD,
    next: '/audit?q=kahoot',
  })
  t.equal(done.statusCode, 303)
  t.equal(done.headers.location, '/audit?q=kahoot')
  t.equal((await browser.get('/')).statusCode, 200)
})

t.test('the way back never leads to another site', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  for (const next of [
    '//evil.example/',
    '/\\evil.example',
    'https://evil.example/',
    '/a\r\nset-cookie: x=1',
    '',
  ]) {
    const browser = world.browser()
    browser.csrf = tokenOf(await browser.get('/sign-in'))
    const done = await browser.post('/sign-in', { name: 'claire', password: PASSWORD, next })
    t.equal(done.headers.location, '/', JSON.stringify(next))
  }
})

t.test('wrong name, wrong password and disabled account get the same answer', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.user('Ancien', 'dsi', { disabled: true })
  const answers = []
  for (const [name, password] of [
    ['personne', PASSWORD],
    ['Claire', 'pas la bonne phrase'],
    ['Ancien', PASSWORD],
  ] as const) {
    const answer = await world.browser().signIn(name, password)
    t.equal(answer.statusCode, 401)
    t.match(answer.body, 'Identifiant ou mot de passe incorrect')
    t.equal(
      answer.cookies.find(cookie => cookie.name === 'preau_session'),
      undefined,
    )
    answers.push(answer.body.replaceAll(name, 'X').replaceAll(/value="[\w-]{43}"/g, ''))
  }
  t.equal(new Set(answers).size, 1)
})

t.test('after five failures the right password waits here, and opens from elsewhere', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const attacker = world.browser('10.66.0.1')
  for (let i = 0; i < 5; i++) await attacker.signIn('Claire', 'pas la bonne phrase')
  const locked = await attacker.signIn('Claire', PASSWORD)
  t.equal(locked.statusCode, 429)
  t.match(locked.body, 'Réessayez dans 15 min')
  t.equal((await world.browser('10.1.0.7').signIn('Claire', PASSWORD)).statusCode, 303)
  world.clock.now += 15 * MINUTE_MS
  t.equal((await attacker.signIn('Claire', PASSWORD)).statusCode, 303)
  const actions = (await world.store.tail({ limit: 50 })).map(entry => entry.action)
  t.equal(actions.filter(action => action === 'session.refuse').length, 5)
  t.equal(actions.filter(action => action === 'session.lock').length, 1)
})

t.test(
  'signing in makes a new session and ends the one that was there: nobody can plant one',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const browser = world.browser()
    const planted = 'A'.repeat(43)
    browser.cookies.set('preau_session', planted)
    await browser.signIn('Claire')
    const first = browser.cookies.get('preau_session')
    t.not(first, planted)
    t.match(first, /^[\w-]{43}$/)
    browser.cookies.delete('preau_session')
    browser.csrf = tokenOf(await browser.get('/sign-in'))
    browser.cookies.set('preau_session', first ?? '')
    await browser.post('/sign-in', { name: 'Claire', password: PASSWORD })
    t.not(browser.cookies.get('preau_session'), first)
    const old = world.browser()
    old.cookies.set('preau_session', first ?? '')
    t.equal((await old.get('/')).statusCode, 303, 'the session from before is dead')
    t.equal((await browser.get('/')).statusCode, 200)
  },
)

t.test(
  'the cookie is out of reach of scripts and of other sites, and Secure when the browser sees https',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const browser = world.browser()
    const plain = (await browser.signIn('Claire')).cookies.find(
      ({ name }) => name === 'preau_session',
    )
    t.match(plain, { httpOnly: true, sameSite: 'Strict', path: '/' })
    t.notOk(plain?.secure)
    const other = world.browser()
    other.csrf = tokenOf(await other.get('/sign-in'))
    const answer = await other.post(
      '/sign-in',
      { name: 'Claire', password: PASSWORD },
      { headers: { origin: 'https://admin.example:8080' } },
    )
    t.match(
      answer.cookies.find(({ name }) => name === '__Host-preau_session'),
      { httpOnly: true, sameSite: 'Strict', path: '/', secure: true, domain: undefined },
    )
    t.equal((await other.get('/')).statusCode, 200)
  },
)

t.test('the store holds no token: only its hash', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const browser = await world.as('Claire')
  const [session] = await world.store.list('session')
  t.match(session?.id, /^[0-9a-f]{64}$/)
  t.notMatch(JSON.stringify(session), browser.cookies.get('preau_session') ?? '')
})

t.test('signing out kills the session on the server', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const browser = await world.as('Claire')
  const token = browser.cookies.get('preau_session') ?? ''
  t.equal((await browser.post('/sign-out')).headers.location, '/sign-in')
  t.equal(browser.cookies.get('preau_session'), undefined)
  const thief = world.browser()
  thief.cookies.set('preau_session', token)
  t.equal((await thief.get('/')).statusCode, 303)
})

t.test('a session ends at its time, however busy it is', async t => {
  const world = await openWorld(t, { limits: { sessionMinutes: 10 } })
  await world.user('Claire', 'dsi')
  const browser = await world.as('Claire')
  world.clock.now += 10 * MINUTE_MS - 1
  t.equal((await browser.get('/')).statusCode, 200)
  world.clock.now += 1
  t.equal((await browser.get('/')).statusCode, 303)
})

t.test('a change of role or a disabled account acts at the very next click', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.user('Karim', 'dsi')
  const [claire, karim] = [await world.as('Claire'), await world.as('Karim')]
  await claire.post('/users/karim/role', { role: 'reader' })
  t.equal((await karim.post('/users', { name: 'x' })).statusCode, 403)
  await claire.post('/users/karim/state', { state: 'disabled' })
  t.equal((await karim.get('/')).statusCode, 303)
})

t.test(
  'changing one’s password asks for the current one and closes the other sessions',
  async t => {
    const world = await openWorld(t)
    await world.user('Claire', 'dsi')
    const [desk, home] = [await world.as('Claire'), await world.as('Claire')]
    const wrong = await desk.post('/account', {
      current: 'pas la bonne',
      password: 'une nouvelle phrase',
    })
    t.equal(wrong.statusCode, 403)
    t.match(wrong.body, 'Le mot de passe actuel est incorrect')
    t.equal((await desk.post('/account', { current: PASSWORD, password: 'court' })).statusCode, 400)
    t.equal(
      (await desk.post('/account', { current: PASSWORD, password: 'une nouvelle phrase' }))
        .statusCode,
      303,
    )
    t.equal((await desk.get('/account')).statusCode, 200)
    t.equal((await home.get('/')).statusCode, 303)
    t.equal((await world.browser().signIn('Claire', PASSWORD)).statusCode, 401)
    t.equal((await world.browser().signIn('Claire', 'une nouvelle phrase')).statusCode, 303)
  },
)

t.test('where attempts cannot be counted nobody signs in, and is told why', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const { permits } = world.store
  const take = permits.take.bind(permits)
  const down = () =>
    Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'redis.internal:6379' }))
  permits.take = down
  const answer = await world.browser().signIn('Claire')
  t.equal(answer.statusCode, 503)
  t.match(answer.body, 'La base ne répond pas')
  t.notMatch(answer.body, 'redis.internal')
  t.equal(answer.cookies.filter(({ name }) => name === 'preau_session').length, 0)
  t.equal(await world.store.count('session'), 0)
  permits.take = take
  t.equal((await world.browser().signIn('Claire')).statusCode, 303)
})

t.test('what is signed in stays so while attempts cannot be counted', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  world.store.permits.take = () =>
    Promise.reject(new PreauError('PREAU_STORE_UNAVAILABLE', { detail: 'x' }))
  t.equal((await claire.get('/')).statusCode, 200)
  const id = await world.ask()
  const form = { scope: 'pc', duration: 'hour' }
  t.equal((await claire.post(`/requests/${id}/approve`, form)).statusCode, 303)
})

t.test(
  'locks are of the store: another admin process knows them, and so does the next one',
  async t => {
    const dir = t.testdir()
    const open = () => openSqliteStore(`${dir}/preau.db`)
    const [one, two] = [
      await openWorld(t, { store: await open() }),
      await openWorld(t, { store: await open() }),
    ]
    await one.user('Claire', 'dsi')
    const guesses = await Promise.all(
      Array.from({ length: 20 }, (_, i) => [one, two][i % 2]!.browser().signIn('Claire', 'x')),
    )
    t.equal(guesses.filter(({ statusCode }) => statusCode === 401).length, 5)
    t.equal(guesses.filter(({ statusCode }) => statusCode === 429).length, 15)
    const third = await openWorld(t, { store: await open() })
    const locked = await third.browser().signIn('Claire')
    t.equal(locked.statusCode, 429)
    t.match(locked.body, 'Réessayez dans 15 min')
    const entries = await one.store.tail({ limit: 50 })
    t.equal(entries.filter(({ action }) => action === 'session.lock').length, 1)
  },
)

t.test('a session survives a restart of the app', async t => {
  const store = await openSqliteStore(`${t.testdir()}/preau.db`)
  t.teardown(() => store.close())
  const before = await openWorld(t, { store })
  await before.user('Claire', 'dsi')
  const browser = await before.as('Claire')
  await before.app.close()
  const after = (await openWorld(t, { store })).browser()
  after.cookies.set('preau_session', browser.cookies.get('preau_session') ?? '')
  t.equal((await after.get('/')).statusCode, 200)
})
