/** A PC of one school learns nothing of another school's requests, and changes nothing in them, whatever it sends (IDOR). */
import { once } from 'node:events'
import tap from 'tap'
import { openOrigin, openProxyWorld } from '../support/proxy-world.ts'
import { PortalWorld } from '../portal/portal-world.ts'

const PAGE = 'http://jeux.example/'
const OWN = { ip: '10.1.3.7', site: '0750001A' }
const FOREIGN_IP = '10.2.0.1'

/** What a pupil may write into a request to pass for somebody else. */
const CLAIMS: Record<string, string>[] = [
  { 'x-forwarded-for': OWN.ip, 'x-real-ip': OWN.ip, forwarded: `for=${OWN.ip}` },
  { 'client-ip': OWN.ip, 'true-client-ip': OWN.ip, 'x-client-ip': OWN.ip, via: '1.1 préau' },
  { cookie: `site=${OWN.site}; preau_session=x`, authorization: 'Basic eDp4' },
  { 'x-preau-site': OWN.site, 'x-site': OWN.site, host: 'preau.internal' },
  { 'x-original-url': `/?site=${OWN.site}`, 'x-rewrite-url': '/', 'last-event-id': '1' },
]
const QUERY = `?site=${OWN.site}&ip=${OWN.ip}&room=Salle%203&requestId=REQUEST`

tap.test('it cannot read, follow, join or acknowledge the request of another school', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE, { ip: OWN.ip })
  const [request] = await world.requests()
  const query = QUERY.replace('REQUEST', request?.id ?? '')
  for (const headers of CLAIMS) {
    const name = JSON.stringify(headers)
    const { body } = await world.ask(`${PAGE}${query}`, { ip: FOREIGN_IP, headers })
    t.match(body, /data-state="none"/, name)
    t.notMatch(body, /Demande envoyée|Jules Ferry|Salle 3/, name)
    const stream = await world.open(`${PAGE}.preau/follow${query}`, { ip: FOREIGN_IP, headers })
    const [first] = (await once(stream.setEncoding('utf8'), 'data')) as [string]
    t.match(first, '"state":"none"', name)
    stream.destroy()
  }
  const id = request?.id ?? ''
  for (const path of [id, `request/${id}`, `requests/${id}`, `follow/${id}`, `unblock/${id}`]) {
    const { status, body } = await world.ask(`${PAGE}.preau/${path}`, { ip: FOREIGN_IP })
    t.equal(status, 403, path)
    t.match(body, /data-state="none"/, path)
  }
  const { status } = await world.click(PAGE, {
    ip: FOREIGN_IP,
    headers: CLAIMS[0] ?? {},
    body: query.slice(1),
  })
  t.equal(status, 303)
  const requests = await world.requests()
  t.strictSame(
    requests
      .map(({ body }) => [body.site, body.clicks, body.askers.map(({ ip }) => ip)])
      .toSorted((a, b) => String(a[0]).localeCompare(String(b[0]))),
    [
      [OWN.site, 1, [OWN.ip]],
      ['0750002B', 1, [FOREIGN_IP]],
    ],
    'it has opened one of its own',
  )
})

tap.test('what the DSI answers to one school is not told to another', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE, { ip: OWN.ip })
  await world.refuse('Pas pendant l’évaluation de Mme Martin')
  t.match((await world.ask(PAGE, { ip: OWN.ip })).body, 'évaluation de Mme Martin')
  t.notMatch((await world.ask(PAGE, { ip: FOREIGN_IP })).body, /accept|Martin/)
})

tap.test('a grant of one school opens nothing in another, nor a warning that was read', async t => {
  const world = await PortalWorld.open(t)
  await world.click(PAGE, { ip: OWN.ip })
  await world.approve('site')
  await world.swap()
  t.equal((await world.ask(PAGE, { ip: OWN.ip })).body, 'the site itself')
  const origin = 'http://blog.example'
  const read = world.ask(`${origin}/.preau/continue`, {
    method: 'POST',
    ip: OWN.ip,
    headers: { origin, 'content-type': 'application/x-www-form-urlencoded' },
    body: `ip=${FOREIGN_IP}&scope=city`,
  })
  while ((await world.store.list('grant')).length < 2) await new Promise(setImmediate)
  await world.swap()
  t.equal((await read).status, 303)
  t.equal((await world.ask(`${origin}/`, { ip: OWN.ip })).body, 'the site itself')
  for (const headers of CLAIMS) {
    for (const url of [PAGE, `${origin}/`])
      t.equal((await world.ask(url, { ip: FOREIGN_IP, headers })).status, 403, url)
  }
})

tap.test('who a client is comes from its connection, not from what it says', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const claims = CLAIMS.flatMap(Object.entries)
    .filter(([name]) => name !== 'host' && name !== 'via')
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  await world.raw(
    `GET http://games.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n${claims}Connection: close\r\n\r\n`,
  )
  t.equal(world.refused[0]?.client.ip, '127.0.0.1')
  t.equal(world.log[0]?.ip, '127.0.0.1')
})
