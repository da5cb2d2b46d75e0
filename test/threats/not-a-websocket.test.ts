/** Cases 30 and S12 of the catalogue: what calls itself a WebSocket, through either door, and is another protocol. */
import t from 'tap'
import {
  eventually,
  openOrigin,
  openProxyWorld,
  readUntil,
  type ProxyWorld,
} from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { accept, frame, handshake, openEcho, switched } from '../support/websocket.ts'

type Fields = Readonly<Record<string, string | undefined>>
/** The two ways to ask: in absolute form, and inside a CONNECT. */
const DOORS: Readonly<Record<string, (host: string, fields?: Fields) => string>> = {
  'as a request': (host, fields) => handshake(`http://${host}/`, host, fields),
  'in a tunnel': (host, fields) =>
    `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n${handshake('/', host, fields)}`,
}
const ports = { connectPorts: [443] }
/** What follows the 200 of a CONNECT. */
const inner = (answer: string): string =>
  answer.replace(/^HTTP\/1\.1 200 Connection[^]*?\r\n\r\n/, '')
const lastReason = (world: ProxyWorld): string | undefined => world.log.at(-1)?.reason

for (const [door, ask] of Object.entries(DOORS)) {
  t.test(`a handshake that is none reaches no origin, ${door}`, async t => {
    let came = 0
    const port = await openRawOrigin(t, () => came++)
    const world = await openProxyWorld(t, ports)
    const odd: Record<string, Fields> = {
      'no key': { 'Sec-WebSocket-Key': undefined },
      'a short key': { 'Sec-WebSocket-Key': 'c2hvcnQ=' },
      'no version': { 'Sec-WebSocket-Version': undefined },
      'a draft of before': { 'Sec-WebSocket-Version': '8' },
      'two versions': { 'Sec-WebSocket-Version': '13, 8' },
    }
    for (const [name, fields] of Object.entries(odd)) {
      t.match(inner(await world.raw(ask(`free.test:${port}`, fields))), /^HTTP\/1\.1 400 /, name)
      await eventually(() => lastReason(world) === 'PREAU_NOT_WEBSOCKET')
    }
    t.equal(came, 0)
  })

  t.test(`an origin that did not understand the handshake is not believed, ${door}`, async t => {
    const world = await openProxyWorld(t, ports)
    for (const answer of [
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nSSH-2.0-x\r\n',
      switched('Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='),
      switched(handshake('/', 'a')).replace('Upgrade: websocket', 'Upgrade: ssh'),
    ]) {
      const port = await openRawOrigin(t, socket => socket.once('data', () => socket.write(answer)))
      const came = inner(await world.raw(ask(`free.test:${port}`)))
      t.match(came, /^HTTP\/1\.1 502 /)
      t.notMatch(came, /SSH/)
    }
  })

  t.test(`neither side says anything but frames afterwards, ${door}`, async t => {
    const world = await openProxyWorld(t, ports)
    const hello = Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3])
    for (const said of [
      Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n'),
      hello,
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]) {
      let heard = ''
      const server = await openRawOrigin(t, socket =>
        accept(socket, chunk => (heard += chunk.toString('latin1'))),
      )
      for (const first of [Buffer.alloc(0), frame('hi', { isMasked: true })]) {
        const socket = await world.open()
        socket.write(ask(`free.test:${server}`))
        await readUntil(socket, 'xOo=\r\n')
        socket.write(Buffer.concat([first, said]))
        await readUntil(socket)
        await eventually(() => world.proxy.openExchanges === 0)
        t.equal(lastReason(world), 'PREAU_NOT_WEBSOCKET')
        t.notOk(heard.includes(said.toString('latin1')), 'nothing of it has reached the origin')
      }
      const port = await openRawOrigin(t, socket =>
        socket.once('data', (head: Buffer) =>
          socket.write(Buffer.concat([Buffer.from(switched(head)), said])),
        ),
      )
      const came = inner(await world.raw(ask(`free.test:${port}`)))
      t.notOk(came.includes(said.toString('latin1')), 'nothing of it has reached the client')
      await eventually(() => world.proxy.openExchanges === 0)
      t.equal(lastReason(world), 'PREAU_NOT_WEBSOCKET')
    }
  })
}

t.test('a CONNECT to a port of plain HTTP carries nothing but one handshake', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, ports)
  const host = `free.test:${origin.port}`
  const connect = `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  const tail = `HTTP/1.1\r\nHost: ${host}\r\n`
  const refused: Record<string, string> = {
    'a page': `GET / ${tail}\r\n`,
    'a form': `POST / ${tail}Content-Length: 3\r\n\r\na=1`,
    'a form with a handshake around it': handshake('/', host, { 'Content-Length': '3' }) + 'a=1',
    'a handshake by another method': handshake('/', host).replace('GET', 'POST'),
    'a tunnel in the tunnel': connect,
    'another upgrade': handshake('/', host, { Upgrade: 'h2c' }),
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    SSH: 'SSH-2.0-OpenSSH_9.2p1\r\n',
    'a request behind an answer that switched nothing': `${handshake('/', host)}GET /second ${tail}\r\n`,
  }
  for (const [name, bytes] of Object.entries(refused)) {
    const answers = (await world.raw(connect + bytes)).match(/^HTTP\/1\.1 \d+/gm)
    const expected = name.includes('behind') ? '200' : '400'
    t.strictSame(answers, ['HTTP/1.1 200', `HTTP/1.1 ${expected}`], name)
  }
  t.strictSame(
    origin.requests.map(({ url, headers }) => [url, headers.upgrade]),
    [['/', 'websocket']],
    'the origin has seen the one handshake only',
  )
  await world.raw(Buffer.concat([Buffer.from(connect), Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1])]))
  await eventually(() => lastReason(world) === 'PREAU_PORT_REFUSED')
  t.equal(lastReason(world), 'PREAU_PORT_REFUSED', 'the log says of TLS that its port is closed')
})

t.test(
  'a name in the handshake other than that of the CONNECT decides nothing and opens nothing',
  async t => {
    const { port, paths } = await openEcho(t)
    const world = await openProxyWorld(t, ports)
    for (const host of [
      `games.test:${port}`,
      `other.test:${port}`,
      'free.test',
      `free.test:${port + 1}`,
      `free.test:${port}/x`,
      `a@free.test:${port}`,
      '',
    ]) {
      const connect = `CONNECT free.test:${port} HTTP/1.1\r\nHost: a\r\n\r\n`
      t.match(inner(await world.raw(connect + handshake('/', host))), /^HTTP\/1\.1 400 /, host)
      const twice = handshake('/', `free.test:${port}`, { 'X-A': `b\r\nHost: ${host}` })
      t.match(inner(await world.raw(connect + twice)), /^HTTP\/1\.1 400 /, `two, ${host}`)
    }
    const absolute = handshake(`http://games.test:${port}/`, `free.test:${port}`)
    const connect = `CONNECT free.test:${port} HTTP/1.1\r\nHost: a\r\n\r\n`
    t.match(inner(await world.raw(connect + absolute)), /^HTTP\/1\.1 400 /)
    t.match(
      inner(await world.raw(connect + handshake('/', `FREE.test.:${port}`), 'Accept: ')),
      /^HTTP\/1\.1 101 /,
      'another spelling of the same name is the same',
    )
    t.equal(paths.length, 1)
  },
)
