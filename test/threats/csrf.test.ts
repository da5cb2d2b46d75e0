/** Every form of the admin app and of the block page: other sites, other types and forms without token change nothing. */
import t from 'tap'
import { FORM, MATRIX, prepare } from '../admin/routes.ts'
import { openWorld } from '../admin/world.ts'
import { PortalWorld } from '../portal/portal-world.ts'

const OWN = { origin: 'http://admin.example:8080' }
const FORM_TYPE = 'application/x-www-form-urlencoded'
/** What a page of another site can make a browser send, and what only looks like a form (CVE-2022-41919). */
const TYPES = [
  'text/plain',
  'application/json',
  'application/json;charset=',
  'multipart/form-data; boundary=x',
  `${FORM_TYPE}; x`,
  `${FORM_TYPE},text/plain`,
  `text/plain;${FORM_TYPE}`,
  '',
]
const FOREIGN: Record<string, string>[] = [
  { origin: 'https://evil.example' },
  { origin: 'null' },
  { origin: '' },
  { origin: 'https://evil.example/http://admin.example:8080' },
  { ...OWN, 'sec-fetch-site': 'cross-site' },
  { ...OWN, 'sec-fetch-site': 'same-site' },
]
const ELSEWHERE: Record<string, string>[] = [
  { origin: 'http://evil.example' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
]
const POSTS = [...Object.keys(MATRIX), 'POST /sign-in', 'POST /setup'].filter(route =>
  route.startsWith('POST '),
)

t.test('no route of the admin app believes a form that is not its own', async t => {
  const world = await openWorld(t)
  for (const name of ['Claire', 'Karim']) await world.user(name, 'dsi')
  await world.user('Autre', 'reader')
  const [claire, karim] = [await world.as('Claire'), await world.as('Karim')]
  for (const route of POSTS) {
    const id = route.includes('/grants') ? await world.grant() : await world.ask()
    const form = { ...FORM, ...(await prepare(world, route)) }
    const url = route.slice('POST '.length).replace(':id', id).replace(':name', 'autre')
    const before = JSON.stringify(await world.store.tail({ limit: 1 }))
    const statusOf = async (fields: Record<string, string>, headers: Record<string, string>) =>
      (await claire.post(url, fields, { headers })).statusCode
    for (const type of TYPES)
      t.equal(await statusOf(form, { ...OWN, 'content-type': type }), 415, `${route} ${type}`)
    for (const headers of FOREIGN)
      t.equal(await statusOf(form, headers), 403, `${route} ${JSON.stringify(headers)}`)
    for (const token of ['', 'x', karim.csrf, `${claire.csrf}x`])
      t.equal(
        await statusOf({ ...form, _csrf: token }, OWN),
        403,
        `${route} with the token « ${token} »`,
      )
    t.equal(
      JSON.stringify(await world.store.tail({ limit: 1 })),
      before,
      `${route}: nothing changed`,
    )
  }
})

t.test('no verb but POST reaches a form, and GET changes nothing', async t => {
  const world = await openWorld(t)
  await world.user('Claire', 'dsi')
  const claire = await world.as('Claire')
  const id = await world.ask()
  const before = JSON.stringify(await world.store.tail({ limit: 1 }))
  for (const route of POSTS) {
    const url = route.slice('POST '.length).replace(':id', id).replace(':name', 'claire')
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const)
      t.equal((await claire.post(url, FORM, { method })).statusCode, 404, `${method} ${url}`)
    const fields = new URLSearchParams({ ...FORM, _csrf: claire.csrf, _method: 'POST' })
    const query = `${url}?${fields.toString()}`
    const override = { 'x-http-method-override': 'POST', 'x-csrf-token': claire.csrf }
    for (const method of ['GET', 'HEAD'] as const) {
      const { statusCode } = await claire.post(
        query,
        {},
        { method, headers: override, payload: '' },
      )
      t.ok([200, 303, 404, 410].includes(statusCode), `${method} ${url} ${statusCode}`)
    }
  }
  t.equal(JSON.stringify(await world.store.tail({ limit: 1 })), before)
  t.equal((await claire.get('/')).statusCode, 200, 'nor was the session ended')
})

t.test('the button of the block page is not pressed by another site, in any type', async t => {
  const world = await PortalWorld.open(t)
  for (const [path, host] of [
    ['unblock', 'jeux.example'],
    ['continue', 'blog.example'],
  ] as const) {
    const post = (headers: Record<string, string>, body = 'a=1') =>
      world.ask(`http://${host}/.preau/${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': FORM_TYPE, origin: `http://${host}`, ...headers },
      })
    for (const type of ['text/plain', 'application/json', 'multipart/form-data; boundary=x'])
      t.equal((await post({ 'content-type': type }, '{}')).status, 415, type)
    for (const headers of ELSEWHERE)
      t.equal((await post(headers)).status, 403, JSON.stringify(headers))
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const { status } = await world.ask(`http://${host}/.preau/${path}`, { method })
      t.equal(status, 403, `${method}: the block page`)
    }
  }
  t.strictSame(await world.store.tail({ limit: 10 }), [])
})
