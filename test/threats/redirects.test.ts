/** Case 55 of the catalogue: an answer that sends the browser elsewhere opens nothing; ours never leads elsewhere. */
import t from 'tap'
import { once } from 'node:events'
import { connect as tlsConnect } from 'node:tls'
import { openOrigin, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'
import { aSnapshot } from '../support/snapshot.ts'

const close = 'Connection: close\r\n'
const get = (url: string): string => `GET ${url} HTTP/1.1\r\nHost: a\r\n${close}\r\n`

t.test('a redirect is passed on, not followed, and what it names is judged anew', async t => {
  let location = ''
  const origin = await openOrigin(t, (_request, response) =>
    response.writeHead(302, { location }).end(),
  )
  const world = await openProxyWorld(t)
  for (const elsewhere of [
    `http://games.test:${origin.port}/`,
    `http://127.0.0.1:${origin.port}/`,
    `http://localhost:${origin.port}/`,
    `http://[::ffff:7f00:1]:${origin.port}/`,
    `http://169.254.169.254/latest/meta-data/`,
  ]) {
    location = elsewhere
    const before = origin.requests.length
    t.match(await world.raw(get(`http://free.test:${origin.port}/`)), `location: ${elsewhere}`)
    t.equal(origin.requests.length, before + 1, 'the proxy does not go there by itself')
    t.match(await world.raw(get(elsewhere)), /^HTTP\/1\.1 403 /, elsewhere)
    t.equal(origin.requests.length, before + 1)
  }
})

/** What our page server answers inside TLS once the site has been opened. */
async function askOpened(world: ProxyWorld, head: string): Promise<string> {
  world.current.swap(aSnapshot())
  const socket = await world.open()
  socket.write('CONNECT games.test:443 HTTP/1.1\r\nHost: games.test\r\n\r\n')
  await readUntil(socket, '\r\n\r\n')
  const secure = tlsConnect({ socket, servername: 'games.test', ca: world.caPem })
  await once(secure, 'secureConnect')
  world.current.swap(aSnapshot({ categories: () => [] }))
  secure.write(`${head}\r\n\r\n`)
  const answer = await readUntil(secure)
  secure.destroy()
  return answer
}

t.test('our own redirect leads to the site of the CONNECT, whatever the request says', async t => {
  const world = await openProxyWorld(t, { connectPorts: [443] })
  const evil = 'evil.test'
  const heads = [
    `GET //${evil}/ HTTP/1.1\r\nHost: games.test`,
    `GET /\\${evil}/ HTTP/1.1\r\nHost: games.test`,
    `GET https://${evil}/ HTTP/1.1\r\nHost: games.test`,
    `GET http://${evil}/ HTTP/1.1\r\nHost: ${evil}`,
    `GET / HTTP/1.1\r\nHost: ${evil}`,
    `GET / HTTP/1.1\r\nHost: games.test\r\nX-Forwarded-Host: ${evil}\r\nForwarded: host=${evil}`,
    `POST /.preau/unblock HTTP/1.1\r\nHost: ${evil}\r\nReferer: https://${evil}/\r\nContent-Length: 0`,
    `GET /.preau/follow?to=https://${evil}/ HTTP/1.1\r\nHost: games.test`,
    `OPTIONS * HTTP/1.1\r\nHost: ${evil}`,
    `GET /%0d%0aLocation:%20https://${evil}/ HTTP/1.1\r\nHost: games.test`,
  ]
  for (const head of heads) {
    const answer = await askOpened(world, head)
    const locations = [...answer.matchAll(/^location: (.*)\r$/gim)].map(match => match[1] ?? '')
    t.equal(locations.length, 1, head)
    t.equal(new URL(locations[0] ?? '').origin, 'https://games.test', head)
  }
})

t.test('and what breaks its line is refused before', async t => {
  const world = await openProxyWorld(t, { connectPorts: [443] })
  const answer = await askOpened(world, 'GET /\rLocation: https://evil.test/ HTTP/1.1\r\nHost: a')
  t.notMatch(answer, /evil/)
})
