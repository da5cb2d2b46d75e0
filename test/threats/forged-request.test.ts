/** An unblock request says what the proxy saw: its host, its PC, its reason and its status are not the sender's to choose. */
import tap from 'tap'
import { PortalWorld } from '../portal/portal-world.ts'

const FORM = 'application/x-www-form-urlencoded'
const LIES = new URLSearchParams({
  id: '00000000-0000-7000-8000-000000000000',
  requestId: '00000000-0000-7000-8000-000000000000',
  host: 'adulte.example',
  port: '22',
  url: 'http://adulte.example/',
  site: '0750002B',
  siteName: 'École Simone Veil',
  room: 'Salle 1',
  ip: '10.2.0.1',
  reason: 'default',
  category: 'blog',
  clicks: '1000',
  seenAt: '1',
  at: '1',
  state: 'approved',
  scope: 'city',
  duration: 'forever',
  until: 'null',
  grant: 'x',
  '__proto__[state]': 'approved',
  'decision[outcome]': 'approved',
}).toString()

tap.test('nothing that the form, the query or a header says is believed', async t => {
  const world = await PortalWorld.open(t)
  const { status } = await world.ask(`http://jeux.example/.preau/unblock?${LIES}`, {
    method: 'POST',
    body: LIES,
    headers: {
      'content-type': FORM,
      referer: 'http://adulte.example/page',
      'x-original-url': 'http://adulte.example/',
      'x-forwarded-host': 'adulte.example',
      'x-forwarded-for': '10.2.0.1',
      'x-http-method-override': 'PUT',
    },
  })
  t.equal(status, 303)
  const [request, ...others] = await world.requests()
  t.strictSame(others, [])
  const id = request?.id ?? ''
  t.strictSame(request?.body, {
    id,
    host: 'jeux.example',
    port: 80,
    url: 'http://jeux.example/',
    reason: 'blocked-category',
    category: 'games',
    site: '0750001A',
    siteName: 'École Jules Ferry',
    askers: [{ ip: '10.1.3.7', room: 'Salle 3', at: world.now }],
    clicks: 1,
    at: world.now,
    lastAt: world.now,
  })
  t.strictSame(await world.store.list('grant'), [])
})

tap.test('no address below /.preau/ changes the status of a request', async t => {
  const world = await PortalWorld.open(t)
  await world.click('http://jeux.example/')
  const before = JSON.stringify([await world.requests(), await world.store.tail({ limit: 9 })])
  const id = (await world.requests())[0]?.id ?? ''
  const paths = [
    'approve',
    'refuse',
    'undo',
    'seen',
    'grant',
    'unblock/approve',
    `requests/${id}/approve`,
    `../requests/${id}/approve`,
    'UNBLOCK',
    'unblock/',
    'unblock;a',
    'unblock%2f',
    'unblock%00',
    'un%62lock',
    './unblock',
    '../.preau/unblock',
    'continue',
  ]
  for (const path of paths) {
    const { status } = await world.ask(`http://jeux.example/.preau/${path}`, {
      method: 'POST',
      body: LIES,
      ip: '10.1.3.8',
      headers: { 'content-type': FORM, origin: 'http://jeux.example' },
    })
    t.equal(status, 403, path)
  }
  t.equal(JSON.stringify([await world.requests(), await world.store.tail({ limit: 9 })]), before)
})

tap.test('what may not be asked for cannot be asked for by another way', async t => {
  const world = await PortalWorld.open(t)
  for (const host of ['adulte.example', '192.168.0.1', 'blog.example', 'preau.internal']) {
    for (const path of ['unblock', ...(host === 'blog.example' ? [] : ['continue'])]) {
      const { status } = await world.ask(`http://${host}/.preau/${path}`, {
        method: 'POST',
        body: LIES,
        headers: {
          'content-type': FORM,
          origin: `http://${host}`,
          referer: 'http://jeux.example/',
        },
      })
      t.ok(status === 403 || status === 404, `${host} ${path} ${status}`)
    }
  }
  t.strictSame(await world.requests(), [])
  t.strictSame(await world.store.list('grant'), [])
})
