/** Every refusal of the admin app and of the portal is as closed as a page: nothing to run, to frame, to keep or to learn. */
import t from 'tap'
import { askRaw } from '../admin/raw.ts'
import { openWorld } from '../admin/world.ts'
import { over } from '../portal/broken-store.ts'
import { PortalWorld } from '../portal/portal-world.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'

const FORM = 'Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://a\r\n'
const post = (headers: string, body = ''): string =>
  `POST /sign-in HTTP/1.1\r\nHost: a\r\n${headers}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`

/** The refusals, as they leave the machine. */
const REFUSALS: Record<string, readonly [status: number, bytes: string]> = {
  'a page without session': [303, get('/')],
  'a page for scripts without session': [401, get('/events')],
  'no page': [404, get('/nope')],
  'an address that cannot be decoded': [400, get('/%')],
  'an address with half a character': [400, get('/requests/%c3')],
  'a parameter without end': [400, get(`/requests/${'a'.repeat(300)}`)],
  'a form of another type': [415, post('Content-Type: text/plain\r\n', 'x')],
  'a form of another site': [403, post(FORM.replace('http://a', 'http://b'), 'x')],
  'a form without token': [403, post(FORM, 'name=x&password=y')],
  'a form too large': [413, post(FORM, 'x'.repeat(70_000))],
  'a dead link': [410, get('/setup?token=x')],
  'a head too large': [431, get('/', `X: ${'x'.repeat(40_000)}\r\n`)],
  'a broken head': [400, 'GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n'],
  'two lengths': [400, post('Content-Length: 5\r\n', 'x')],
  'no HTTP': [400, '\u0016\u0003\u0001\u0002\u0000\r\n\r\n'],
  'a verb that nobody knows': [400, 'HACK / HTTP/1.1\r\nHost: a\r\n\r\n'],
  'HTTP/1.1 without Host': [400, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
}

/** Nothing of the inside: no stack, no path, no version. */
const INSIDE = / at \S+ \(|node_modules|\/tmp\/|\.ts\b|FST_|ERR_|fastify|x-powered-by|^server:/im

t.test('every refusal of the admin app carries the headers, and tells nothing', async t => {
  const world = await openWorld(t)
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  for (const [name, [status, bytes]] of Object.entries(REFUSALS)) {
    const answer = await askRaw(world, bytes)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), name)
    t.notMatch(answer, INSIDE, name)
    t.notMatch(body, /<script>|<style| style=| on\w+=/i, name)
    // Node answers a missing Host itself, without a body.
    if (name === 'HTTP/1.1 without Host') continue
    t.match(head, /^content-security-policy: default-src 'none'.*frame-ancestors 'none'/im, name)
    for (const header of [
      'x-content-type-options: nosniff',
      'x-frame-options: DENY',
      'cache-control: no-store',
      'referrer-policy: same-origin',
    ])
      t.ok(head.toLowerCase().includes(header.toLowerCase()), `${name}: ${header}`)
  }
})

t.test('a failure of the inside is a sentence, for pages and for scripts', async t => {
  const real = await openSqliteStore(`${t.testdir()}/preau.db`)
  const fail = () => Promise.reject(new Error('SQLITE_IOERR /var/lib/secret.db at step (x.ts:1)'))
  let isBroken = false
  const store = over(real, {
    list: (kind, query) => (isBroken ? fail() : real.list(kind, query)),
    tail: query => (isBroken ? fail() : real.tail(query)),
  })
  const world = await openWorld(t, { store })
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  isBroken = true
  for (const url of ['/', '/requests', '/grants', '/audit', '/users']) {
    for (const accept of ['text/html', 'application/json']) {
      const { statusCode, headers, body } = await claire.get(url, { accept })
      t.equal(statusCode, 500, url)
      t.notMatch(body, /SQLITE|secret|x\.ts/, url)
      t.match(headers['content-security-policy'], "frame-ancestors 'none'")
      t.match(headers, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' })
    }
  }
})

t.test('the block page and its refusals likewise, and nothing that outlives the block', async t => {
  const fail = () => Promise.reject(new Error('SQLITE_IOERR /var/lib/secret.db'))
  const world = await PortalWorld.open(t, { wrap: store => over(store, { commit: fail }) })
  const click = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  const answers = {
    page: await world.ask('http://jeux.example/'),
    secure: await world.ask('https://jeux.example/'),
    failed: await world.ask('http://jeux.example/.preau/unblock', click),
    forbidden: await world.ask('http://adulte.example/.preau/unblock', click),
    type: await world.ask('http://jeux.example/.preau/unblock', {
      ...click,
      body: '{}',
      headers: { 'content-type': 'application/json' },
    }),
    large: await world.ask('http://jeux.example/.preau/unblock', {
      ...click,
      body: 'x'.repeat(9e3),
    }),
    none: await world.ask('http://preau.internal/nope'),
  }
  t.same(
    Object.values(answers).map(({ status }) => status),
    [403, 403, 503, 403, 415, 413, 404],
  )
  for (const [name, { headers, body }] of Object.entries(answers)) {
    t.match(
      headers['content-security-policy'],
      /^default-src 'none';.*frame-ancestors 'none'/,
      name,
    )
    t.notMatch(headers['content-security-policy'], /unsafe/, name)
    t.match(headers, { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' }, name)
    for (const header of [
      'set-cookie',
      'strict-transport-security',
      'public-key-pins',
      'alt-svc',
      'clear-site-data',
    ])
      t.equal(headers[header], undefined, `${name} leaves no ${header} on a site that is not ours`)
    t.notMatch(body, /SQLITE|secret|node_modules| at \w+ \(/, name)
  }
})
