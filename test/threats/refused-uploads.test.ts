/** Cases 82 and 83 of the catalogue: every kind of request to a refused site inside TLS, answered by the real portal. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { connect as tlsConnect, type TLSSocket } from 'node:tls'
import { configSchema } from '../../src/config.ts'
import type { Refusal } from '../../src/policy/refusal.ts'
import { createPortal } from '../../src/portal/app.ts'
import type { RefuseRequest } from '../../src/proxy/intercept.ts'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'

/** A proxy whose refused requests go to the portal itself, not to a stand-in. */
async function openWorld(t: Test): Promise<ProxyWorld> {
  const refusals = new WeakMap<IncomingMessage, Refusal>()
  const refuse: RefuseRequest = (request, response, refusal) => {
    refusals.set(request, refusal)
    portal.routing(request, response)
  }
  const world = await openProxyWorld(t, { refuse })
  const store = await openSqliteStore(join(t.testdir(), 'preau.db'))
  const portal = await createPortal({
    store,
    current: world.current,
    clock: Date.now,
    limits: configSchema.parse({}).limits,
    refusalOf: raw => refusals.get(raw),
    certificates: () => ({ inUse: undefined, next: undefined }),
    logger: false,
  })
  await portal.ready()
  t.teardown(async () => {
    await portal.close()
    await store.close()
  })
  return world
}

async function open(world: ProxyWorld): Promise<TLSSocket> {
  const socket = await world.open()
  socket.write('CONNECT games.test:8443 HTTP/1.1\r\nHost: games.test\r\n\r\n')
  await readUntil(socket, '\r\n\r\n')
  const secure = tlsConnect({ socket, servername: 'games.test', ca: world.caPem })
  secure.on('error', () => undefined)
  await once(secure, 'secureConnect')
  return secure
}

interface Answer {
  readonly head: string
  readonly body: string
}

/** The final answer; a `100 Continue` before it is left out. */
async function ask(world: ProxyWorld, text: string): Promise<Answer> {
  const secure = await open(world)
  secure.write(text)
  const answer = (await readUntil(secure)).replace('HTTP/1.1 100 Continue\r\n\r\n', '')
  const end = answer.indexOf('\r\n\r\n')
  return { head: answer.slice(0, end), body: answer.slice(end + 4) }
}

const host = 'Host: games.test\r\n'
const form = 'Content-Type: application/x-www-form-urlencoded\r\n'
const webSocket =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

t.test('every method gets a 403 that is framed right', async t => {
  const world = await openWorld(t)
  for (const request of [
    `GET / HTTP/1.1\r\n${host}\r\n`,
    `POST /login HTTP/1.1\r\n${host}${form}Content-Length: 7\r\n\r\na=1&b=2`,
    `POST /login HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    `PUT /x HTTP/1.1\r\n${host}Content-Length: 0\r\n\r\n`,
    `DELETE /x HTTP/1.1\r\n${host}\r\n`,
    `OPTIONS / HTTP/1.1\r\n${host}Origin: https://a.test\r\nAccess-Control-Request-Method: PUT\r\n\r\n`,
    `GET /ws HTTP/1.1\r\n${host}${webSocket}\r\n`,
    `POST /x HTTP/1.1\r\n${host}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`,
    `PROPFIND / HTTP/1.1\r\n${host}Depth: 1\r\n\r\n`,
  ]) {
    const { head, body } = await ask(world, request)
    t.match(head, /^HTTP\/1\.1 403 /, request)
    t.match(head, /connection: close/i, request)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
    t.equal(Buffer.byteLength(body), length, request)
  }
  const { head, body } = await ask(world, `HEAD / HTTP/1.1\r\n${host}\r\n`)
  t.match(head, /^HTTP\/1\.1 403 /)
  t.equal(body, '', 'HEAD has no body')
})

t.test('the answer lays nothing on the refused site that would outlive it', async t => {
  const world = await openWorld(t)
  const { head } = await ask(world, `GET / HTTP/1.1\r\n${host}Accept: text/html\r\n\r\n`)
  for (const name of [
    'strict-transport-security',
    'public-key-pins',
    'set-cookie',
    'alt-svc',
    'clear-site-data',
    'access-control-allow-origin',
  ])
    t.notMatch(head.toLowerCase(), `\n${name}:`, name)
  t.match(head, /cache-control: no-store/i)
  t.match(head, /content-security-policy: [^\r]*frame-ancestors 'none'/i)
  t.match(head, /x-content-type-options: nosniff/i)
  t.notMatch(head, /content-security-policy: [^\r]*script-src[^;\r]*'unsafe-inline'/i)
})

t.test('an upload of ten megabytes is cut, not swallowed', async t => {
  const world = await openWorld(t)
  const secure = await open(world)
  const size = 10 * 1_048_576
  secure.write(`POST /up HTTP/1.1\r\n${host}Content-Length: ${size}\r\n\r\n`)
  secure.write(Buffer.alloc(size))
  const answer = await readUntil(secure)
  // The cut may overtake the answer where the client sends on without reading.
  if (answer !== '') t.match(answer, /^HTTP\/1\.1 403 /)
  secure.destroy()
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ host: 'games.test', verdict: 'block', status: 403 }])
  t.ok((world.log[0]?.bytesUp ?? size) < 2_000_000, `${world.log[0]?.bytesUp} bytes were taken`)
})
