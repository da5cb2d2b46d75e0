/** Forms, fields, addresses and heads that are too large, or full of what is no text: refused, or stored and shown as text. */
import t from 'tap'
import { FORM, MATRIX } from '../admin/routes.ts'
import { askRaw } from '../admin/raw.ts'
import { openWorld, PASSWORD } from '../admin/world.ts'
import { PortalWorld } from '../portal/portal-world.ts'

const POSTS = [...Object.keys(MATRIX), 'POST /sign-in', 'POST /setup']
  .filter(route => route.startsWith('POST '))
  .map(route => route.slice('POST '.length).replace(':id', 'x').replace(':name', 'autre'))

t.test('no route takes more than 64 kB, whatever stands in it', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const before = JSON.stringify(await world.store.tail({ limit: 1 }))
  const payload = `_csrf=${claire.csrf}&reason=${'x'.repeat(1_000_000)}`
  for (const url of POSTS) t.equal((await claire.post(url, {}, { payload })).statusCode, 413, url)
  t.equal(JSON.stringify(await world.store.tail({ limit: 1 })), before)
})

t.test('every field has its length', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  const urls = POSTS.map(url => url.replace('/requests/x/', `/requests/${id}/`))
  for (const url of urls.filter(path => !/sign-out|undo|known|revoke|\/(?:x|autre)\b/.test(path))) {
    const long = Object.fromEntries(Object.keys(FORM).map(name => [name, 'x'.repeat(4_000)]))
    const answer = await claire.post(url, { ...long, key: 'x'.repeat(4_000), repeat: 'x' })
    t.ok(answer.statusCode >= 400 && answer.statusCode < 500, `${url} ${answer.statusCode}`)
  }
  const many = Array.from({ length: 12_000 }, (_, i) => `${i}=`).join('&')
  const start = process.cpuUsage()
  t.equal((await claire.post(`/requests/${id}/refuse`, {}, { payload: many })).statusCode, 413)
  const fit = many.slice(0, 60_000)
  t.equal((await claire.post(`/requests/${id}/refuse`, {}, { payload: fit })).statusCode, 403)
  t.ok(process.cpuUsage(start).user < 1_000_000, 'twelve thousand fields cost no second')
  t.equal((await world.store.get('request', id))?.body.decision, undefined)
})

t.test(
  'a body without a length, a head and an address too long are refused on the wire',
  async t => {
    const world = await openWorld(t)
    await world.app.listen({ host: '127.0.0.1', port: 0 })
    const head =
      'POST /sign-in HTTP/1.1\r\nHost: a\r\nOrigin: http://a\r\nContent-Type: application/x-www-form-urlencoded\r\n'
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    const chunked = `${head}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}${chunk}0\r\n\r\n`
    t.match(await askRaw(world, chunked), /^HTTP\/1\.1 413 /)
    t.match(
      await askRaw(world, `${head}Content-Length: 99999999\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 413 /,
    )
    t.match(
      await askRaw(world, `GET /${'a'.repeat(40_000)} HTTP/1.1\r\nHost: a\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    )
    t.match(
      await askRaw(world, `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${'a=b; '.repeat(8_000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    )
    t.match(
      await askRaw(
        world,
        `GET /requests/${'a'.repeat(5_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      ),
      /^HTTP\/1\.1 400 /,
    )
    t.match(
      await askRaw(
        world,
        `GET /sign-in HTTP/1.1\r\nHost: a\r\nCookie: ${'a=b; '.repeat(3_000)}\r\nConnection: close\r\n\r\n`,
      ),
      /^HTTP\/1\.1 200 /,
      'a crowded browser is served',
    )
  },
)

t.test('a reason may hold anything: it is one line of text wherever it is shown', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const reasons = {
    '<b>non</b> & "c’est tout"': '&lt;b&gt;non&lt;/b&gt; &amp; &quot;c’est tout&quot;',
    '\u202enon\u2066 \u0000\u0007\r\nligne': 'non   ligne',
    '=cmd|’/c calc’!A1': '=cmd|’/c calc’!A1',
    '👩🏽‍🏫 école 🇫🇷': '👩🏽‍🏫 école 🇫🇷',
    '{{7*7}} <%= 7*7 %> ${7*7}': '{{7*7}} &lt;%= 7*7 %&gt; ${7*7}',
  }
  for (const [reason, shown] of Object.entries(reasons)) {
    const id = await world.ask()
    const answer = await claire.post(`/requests/${id}/refuse`, { reason })
    t.equal(answer.statusCode, 303, reason)
    for (const url of [`/requests/${id}`, '/requests', '/audit']) {
      const { body } = await claire.get(url)
      t.ok(body.replaceAll('&#39;', "'").includes(shown), `${url} ${shown}`)
    }
  }
  t.equal((await world.browser().signIn('x'.repeat(129), PASSWORD)).statusCode, 400)
})

t.test('the block page takes four kilobytes, and closes on those who send on', async t => {
  const world = await PortalWorld.open(t)
  for (const path of ['unblock', 'continue']) {
    const host = path === 'unblock' ? 'jeux.example' : 'blog.example'
    const { status } = await world.ask(`http://${host}/.preau/${path}`, {
      method: 'POST',
      body: `a=${'x'.repeat(1_000_000)}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: `http://${host}` },
    })
    t.equal(status, 413, path)
  }
  const upload = await world.ask('http://jeux.example/upload', {
    method: 'POST',
    body: 'x'.repeat(1_000_000),
  })
  t.equal(upload.status, 403)
  t.equal(upload.headers.connection, 'close')
  t.strictSame(await world.requests(), [])
})
