/** Somebody who plants, keeps, guesses or outlives a session of the admin app works in nobody's name. */
import t from 'tap'
import { setPassword } from '../../src/admin/accounts.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { openWorld, PASSWORD, tokenOf, type World } from '../admin/world.ts'
import { over } from '../portal/broken-store.ts'

const REVERSE_PROXY = '192.0.2.10'
const HTTPS = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '10.1.0.7' }
const SECURE = '__Host-preau_session'

/** Signs in as a browser behind the city's TLS does. */
async function signInOverTls(world: World) {
  const browser = world.browser(REVERSE_PROXY)
  browser.csrf = tokenOf(await browser.get('/sign-in', HTTPS))
  const answer = await browser.post(
    '/sign-in',
    { name: 'Claire', password: PASSWORD },
    { headers: { ...HTTPS, origin: 'https://admin.example:8080' } },
  )
  return { browser, answer, token: browser.cookies.get(SECURE) ?? '' }
}

t.test('behind TLS the session comes in the cookie that no other host can set', async t => {
  const world = await openWorld(t, { admin: { trustedProxies: [`${REVERSE_PROXY}/32`] } })
  await world.user('Claire', 'dsi')
  const { answer, browser, token } = await signInOverTls(world)
  t.equal(answer.statusCode, 303)
  const given = answer.cookies.find(({ name }) => name === SECURE)
  t.match(given, { secure: true, httpOnly: true, sameSite: 'Strict', path: '/' })
  t.equal(given?.domain, undefined, 'a prefix that a domain would make void')
  t.equal((await browser.get('/', HTTPS)).statusCode, 200)

  const planted = world.browser(REVERSE_PROXY)
  planted.cookies.set('preau_session', token)
  t.equal(
    (await planted.get('/', HTTPS)).statusCode,
    303,
    'not in the cookie that could be planted',
  )
  t.equal((await planted.get('/')).statusCode, 303, 'also where nobody says that it is TLS')
  const plain = await world.as('Claire')
  planted.cookies.set('preau_session', plain.cookies.get('preau_session') ?? '')
  t.equal((await planted.get('/', HTTPS)).statusCode, 303, 'nor one that was opened in clear')

  const page = await browser.get('/', HTTPS)
  browser.csrf = tokenOf(page)
  const out = await browser.post(
    '/sign-out',
    {},
    { headers: { ...HTTPS, origin: 'https://admin.example:8080' } },
  )
  t.equal(out.headers.location, '/sign-in')
  t.equal(browser.cookies.get(SECURE), undefined)
  browser.cookies.set(SECURE, token)
  t.equal((await browser.get('/', HTTPS)).statusCode, 303, 'and it is dead on the server')
})

t.test('who is not the reverse proxy cannot say that it is TLS, nor another address', async t => {
  const world = await openWorld(t, { admin: { trustedProxies: [`${REVERSE_PROXY}/32`] } })
  await world.user('Claire', 'dsi')
  const browser = world.browser('10.66.0.1')
  browser.csrf = tokenOf(await browser.get('/sign-in', HTTPS))
  const answer = await browser.post(
    '/sign-in',
    { name: 'Claire', password: PASSWORD },
    { headers: HTTPS },
  )
  t.ok(answer.cookies.some(({ name, secure }) => name === 'preau_session' && !secure))
  const [entry] = await world.store.tail({ limit: 1 })
  t.match(entry, { action: 'session.open', detail: { address: '10.66.0.1' } })
})

t.test('a password that is changed while somebody signs in with the old one', async t => {
  const real = await openSqliteStore(`${t.testdir()}/preau.db`)
  let meanwhile: (() => Promise<unknown>) | undefined
  const store = over(real, {
    commit: async (note, changes) => {
      const act = meanwhile
      if (note.action === 'session.open') meanwhile = undefined
      if (note.action === 'session.open') await act?.()
      return real.commit(note, changes)
    },
  })
  const world = await openWorld(t, { store })
  await world.user('Claire', 'dsi')
  const thief = world.browser()
  // The old password was found right; before the session is written, the real Claire changes it.
  const change = { name: 'Claire', password: 'une toute autre phrase', by: 'cli', now: 0 }
  meanwhile = () => setPassword(real, change)
  await thief.signIn('Claire')
  t.ok(thief.cookies.has('preau_session'))
  t.equal((await thief.get('/')).statusCode, 303, 'the session that was faster is worth nothing')
  const own = world.browser()
  t.equal((await own.signIn('Claire', 'une toute autre phrase')).statusCode, 303)
  t.equal((await own.get('/')).statusCode, 200)
})

t.test('an account has twenty sessions at most: the oldest end', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const browsers = []
  for (let i = 0; i < 22; i++) {
    world.clock.now += 1_000
    browsers.push(await world.as('Claire'))
  }
  t.equal(await world.store.count('session'), 20)
  const statuses = await Promise.all(browsers.map(async b => (await b.get('/grants')).statusCode))
  t.strictSame(statuses, [303, 303, ...Array<number>(20).fill(200)])
})

t.test('no token but the true one opens a session, however near it is', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const token = (await world.as('Claire')).cookies.get('preau_session') ?? ''
  const flipped = Array.from(token, (char, i) => {
    return `${token.slice(0, i)}${char === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`
  })
  const [session] = await world.store.list('session')
  const others = ['', 'x', token.slice(1), `${token}A`, `${token}=`, token.toUpperCase(), '../x']
  const thief = world.browser()
  for (const forged of [...flipped, ...others, session?.id ?? '', session?.body.csrf ?? '']) {
    thief.cookies.set('preau_session', forged)
    t.equal((await thief.get('/grants')).statusCode, 303, forged)
  }
})
