/** Cases 42 to 44 of the catalogue: ports that a school has no business with, and ports that are no ports. */
import t from 'tap'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { configSchema } from '../../src/config.ts'
import { openProxyWorld } from '../support/proxy-world.ts'
import { handshake } from '../support/websocket.ts'

const tail = 'HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
// As shipped.
const { connectPorts } = configSchema.parse({}).proxy

t.test('no tunnel to a mail server, a shell, a database or a port of our own', async t => {
  let came = 0
  const inner = createServer(() => came++).listen(0, '127.0.0.1')
  await once(inner, 'listening')
  t.teardown(() => inner.close())
  const { port } = inner.address() as AddressInfo
  const world = await openProxyWorld(t, { connectPorts })
  for (const refused of [1, 22, 25, 110, 993])
    t.match(
      await world.raw(`CONNECT free.test:${refused} ${tail}`),
      /^HTTP\/1\.1 403 /,
      `${refused}`,
    )
  for (const entry of world.log) t.equal(entry.reason, 'PREAU_PORT_REFUSED', `${entry.port}`)
  // Where plain HTTP may go, so may a WebSocket over it, and nothing is dialled before its handshake.
  for (const plain of [80, 3306, 5432, 6379, 8080, 8443, port, world.port])
    t.match(
      await world.raw(`CONNECT free.test:${plain} ${tail}SSH-2.0-OpenSSH_9.2p1\r\n`),
      /^HTTP\/1\.1 200 [^]*\r\n\r\nHTTP\/1\.1 400 /,
      `${plain}`,
    )
  t.equal(came, 0)
  const host = `free.test:${world.port}`
  t.match(
    await world.raw(`CONNECT ${host} ${tail}${handshake('/', host)}`),
    /^HTTP\/1\.1 200 [^]*\r\n\r\nHTTP\/1\.1 403 /,
    'not even a WebSocket to ourselves',
  )
})

t.test('nor in clear to the ports of other protocols', async t => {
  const world = await openProxyWorld(t)
  for (const refused of [1, 22, 25, 110, 143, 443, 445, 1023])
    t.match(
      await world.raw(`GET http://free.test:${refused}/ ${tail}`),
      /^HTTP\/1\.1 403 /,
      `${refused}`,
    )
})

t.test('a number that only becomes a port by overflow or by chance is refused', async t => {
  const world = await openProxyWorld(t, { connectPorts })
  const odd = ['0', '0443', '00443', '65979', '4294967739', '-1', '+443', '443:443', '1e2', '0x1bb']
  for (const port of [...odd, ' 443', '', '４４３']) {
    const bytes = Buffer.from(`CONNECT free.test:${port} ${tail}`)
    t.match(
      await world.raw(bytes, '\r\n\r\n'),
      /^HTTP\/1\.1 400 /,
      `CONNECT ${JSON.stringify(port)}`,
    )
    if (port === '') continue
    const get = Buffer.from(`GET http://free.test:${port}/ ${tail}`)
    t.match(await world.raw(get, '\r\n\r\n'), /^HTTP\/1\.1 400 /, `GET ${JSON.stringify(port)}`)
  }
  t.match(await world.raw(`CONNECT free.test ${tail}`), /^HTTP\/1\.1 400 /, 'none at all')
})
