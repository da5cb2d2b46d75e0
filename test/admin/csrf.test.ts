import t from 'tap'
import { openWorld } from './world.ts'

const FORM = 'application/x-www-form-urlencoded'

t.test('a decision is believed only when it comes from our own page', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  await world.user('Karim', 'dsi')
  const [claire, karim] = [await world.as('Claire'), await world.as('Karim')]
  const id = await world.ask()
  const url = `/requests/${id}/approve`
  const form = { scope: 'pc', duration: 'hour' }
  const own = { origin: 'http://admin.example:8080' }
  const cases: [string, Record<string, string>, Record<string, string>, number][] = [
    ['no token', { ...form, _csrf: '' }, own, 403],
    ['a token cut short', { ...form, _csrf: claire.csrf.slice(0, -1) }, own, 403],
    ['another session’s token', { ...form, _csrf: karim.csrf }, own, 403],
    ['another site', form, { origin: 'https://evil.example' }, 403],
    ['another port of this host', form, { origin: 'http://admin.example:9090' }, 403],
    ['an opaque origin', form, { origin: 'null' }, 403],
    ['a same-site page of another host', form, { ...own, 'sec-fetch-site': 'same-site' }, 403],
    ['another site by Sec-Fetch-Site', form, { ...own, 'sec-fetch-site': 'cross-site' }, 403],
    ['neither Origin nor Sec-Fetch-Site', form, { origin: '' }, 403],
    ['text/plain', form, { ...own, 'content-type': 'text/plain' }, 415],
    ['JSON', form, { ...own, 'content-type': 'application/json' }, 415],
    [
      'JSON with a charset left open',
      form,
      { ...own, 'content-type': 'application/json;charset=' },
      415,
    ],
    ['a form type with a tail', form, { ...own, 'content-type': `${FORM}; x` }, 415],
    ['multipart', form, { ...own, 'content-type': 'multipart/form-data; boundary=x' }, 415],
    ['no type', form, { ...own, 'content-type': '' }, 415],
  ]
  for (const [name, fields, headers, status] of cases) {
    const answer = await claire.post(url, fields, { headers })
    t.equal(answer.statusCode, status, name)
  }
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE'] as const) {
    const answer = await claire.post(url, form, { method })
    t.equal(answer.statusCode, 404, method)
  }
  t.equal((await world.store.get('request', id))?.body.decision, undefined, 'nothing was decided')
  t.equal(await world.store.count('grant'), 0)
  t.equal(
    (await claire.post(url, form, { headers: { ...own, 'sec-fetch-site': 'same-origin' } }))
      .statusCode,
    303,
  )
})

t.test('signing in asks for the token of this very browser', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const [one, two] = [world.browser(), world.browser()]
  await one.get('/sign-in')
  await two.get('/sign-in')
  const answer = await one.post('/sign-in', { name: 'Claire', password: 'x', _csrf: two.csrf })
  t.equal(answer.statusCode, 403)
})

t.test('forms that are too large or malformed are refused with a clear answer', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  const big = await claire.post(`/requests/${id}/refuse`, { reason: 'x'.repeat(70_000) })
  t.equal(big.statusCode, 413)
  t.equal(
    (await claire.post(`/requests/${id}/refuse`, { reason: 'x'.repeat(501) })).statusCode,
    413,
  )
  t.equal((await claire.post(`/requests/${id}/refuse`, { reason: ' \u0000 ' })).statusCode, 400)
  t.equal(
    (await claire.post(`/requests/${id}/approve`, { scope: 'galaxy', duration: 'hour' }))
      .statusCode,
    400,
  )
  t.equal(
    (await claire.post(`/requests/${id}/approve`, { scope: 'pc', duration: '__proto__' }))
      .statusCode,
    400,
  )
  const twice = `_csrf=${claire.csrf}&scope=pc&scope=city&duration=hour`
  t.equal((await claire.post(`/requests/${id}/approve`, {}, { payload: twice })).statusCode, 400)
  const many = `_csrf=${claire.csrf}&${Array.from({ length: 5_000 }, (_, i) => `${i}=`).join('&')}`
  t.equal((await claire.post(`/requests/${id}/approve`, {}, { payload: many })).statusCode, 400)
  t.equal((await world.store.get('request', id))?.body.decision, undefined)
})
