/** Browsing through parent proxies: which way leads where, in which form, with whose credentials, judged as before. */
import t from 'tap'
import type { Socket } from 'node:net'
import { openParent } from '../support/parent.ts'
import {
  eventually,
  openOrigin,
  openProxyWorld,
  readUntil,
  type ProxyWorld,
} from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { frame, handshake, openEcho } from '../support/websocket.ts'

/** Names that the parents know, and the DNS here does not. */
const NAME = 'lycee.example'

const get = (world: ProxyWorld, url: string, more = ''): Promise<string> =>
  world.raw(`GET ${url} HTTP/1.1\r\nHost: x\r\n${more}Connection: close\r\n\r\n`)

async function tunnel(
  world: ProxyWorld,
  authority: string,
): Promise<{ head: string; socket: Socket }> {
  const socket = await world.open()
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
  return { head: await readUntil(socket, '\r\n\r\n'), socket }
}

const all = (url: string, more: object = {}) => ({
  parents: { proxies: { rectorat: url }, routes: [{ to: ['*'], via: ['rectorat'] }], ...more },
})

t.test('a plain request goes to the parent in absolute form, over a kept connection', async t => {
  const origin = await openOrigin(t)
  const parent = await openParent(t, { credentials: 'école:mot de passe' })
  const url = parent.url.replace('mot de passe', 'mot%20de%20passe')
  const world = await openProxyWorld(t, all(url))
  const theirs = 'Proxy-Authorization: Basic b2ZjbGllbnQ6c2VjcmV0\r\n'
  for (const path of ['/a?b=c', '/a?', '/'])
    t.match(
      await get(world, `http://${NAME}:${origin.port}${path}`, theirs),
      /^HTTP\/1\.1 200 [^]*hello/,
    )
  t.strictSame(
    parent.heard.map(({ url: asked }) => asked),
    ['/a?b=c', '/a?', '/'].map(path => `http://${NAME}:${origin.port}${path}`),
  )
  t.equal(parent.connections(), 1, 'three clients, one connection')
  const ours = `Basic ${Buffer.from('école:mot de passe').toString('base64')}`
  t.ok(
    parent.heard.every(({ authorization }) => authorization === ours),
    'never those of a client',
  )
  t.equal(origin.requests[0]?.headers.host, `${NAME}:${origin.port}`)
  t.match(origin.requests[0]?.headers.via, /preau/)
  t.match(world.log[0], { host: NAME, verdict: 'allow', status: 200 })
})

t.test('bodies, methods and `OPTIONS *` pass as they do directly', async t => {
  const origin = await openOrigin(t)
  const parent = await openParent(t)
  const world = await openProxyWorld(t, all(parent.url))
  const head = `http://${NAME}:${origin.port}/form HTTP/1.1\r\nHost: x\r\nConnection: close\r\n`
  await world.raw(`POST ${head}Content-Length: 3\r\n\r\na=1`)
  await world.raw(`PUT ${head}Transfer-Encoding: chunked\r\n\r\n3\r\na=2\r\n0\r\n\r\n`)
  t.strictSame(
    origin.requests.map(({ method, body }) => [method, body]),
    [
      ['POST', 'a=1'],
      ['PUT', 'a=2'],
    ],
  )
  await world.raw(
    `OPTIONS http://${NAME}:${origin.port} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
  )
  t.match(parent.heard.at(-1), { method: 'OPTIONS', url: `http://${NAME}:${origin.port}` })
})

t.test(
  'a tunnel goes through the CONNECT of the parent, bulk both ways and a server that speaks first',
  async t => {
    const greeting = await openRawOrigin(t, socket => {
      socket.write('220 ready\r\n')
      socket.on('data', chunk => socket.write(chunk)).on('end', () => socket.end())
    })
    const parent = await openParent(t, { credentials: 'u:p' })
    const world = await openProxyWorld(t, { ...all(parent.url), connectPorts: ['1024-65535'] })
    const { head, socket } = await tunnel(world, `${NAME}:${greeting}`)
    t.match(head, /^HTTP\/1\.1 200 Connection Established\r\n\r\n/)
    const said = head.includes('220') ? head : await readUntil(socket, 'ready\r\n')
    t.match(said, '220 ready')
    const bulk = Buffer.alloc(3_000_000, 'preau ')
    socket.write(bulk)
    let back = 0
    socket.on('data', (chunk: Buffer) => (back += chunk.length))
    await eventually(() => back === bulk.length)
    t.equal(back, bulk.length)
    t.match(parent.heard, [
      { method: 'CONNECT', url: `${NAME}:${greeting}`, headers: { host: `${NAME}:${greeting}` } },
    ])
    socket.destroy()
    await eventually(() => world.log.length === 1)
    t.match(world.log, [{ method: 'CONNECT', status: 200 }])
  },
)

t.test(
  'bytes that come with the answer of the parent are the client’s, behind its own',
  async t => {
    const parent = await openParent(t, {
      instead: socket => {
        socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\nVia: x\n\nSSH-2.0-x\r\n')
        return true
      },
    })
    const world = await openProxyWorld(t, { ...all(parent.url), connectPorts: ['1024-65535'] })
    t.equal(
      await world.raw(`CONNECT ${NAME}:8022 HTTP/1.1\r\nHost: x\r\n\r\n`, 'SSH-2.0-x'),
      'HTTP/1.1 200 Connection Established\r\n\r\nSSH-2.0-x\r\n',
    )
  },
)

t.test('a WebSocket goes through a CONNECT of the parent, by either door', async t => {
  const { port } = await openEcho(t)
  const parent = await openParent(t)
  const world = await openProxyWorld(t, { ...all(parent.url), connectPorts: [443] })
  const host = `${NAME}:${port}`
  const connect = `CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n\r\n`
  for (const asked of [handshake(`http://${host}/`, host), connect + handshake('/', host)]) {
    const socket = await world.open()
    socket.write(asked)
    await readUntil(socket, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
    socket.write(frame('hi', { isMasked: true }))
    t.match(await readUntil(socket, 'echo hi'), 'echo hi')
    socket.destroy()
  }
  t.strictSame(
    parent.heard.map(({ method }) => method),
    ['CONNECT', 'CONNECT'],
  )
})

t.test(
  'the first route that fits decides: exceptions go directly, others through their own parent',
  async t => {
    const origin = await openOrigin(t)
    const [north, south] = [await openParent(t), await openParent(t)]
    const world = await openProxyWorld(t, {
      names: ['fixed.example'],
      dialAllow: ['127.0.0.0/8'],
      parents: {
        proxies: { north: north.url, south: south.url },
        routes: [
          { to: ['127.0.0.0/9'], via: ['direct'] },
          { to: ['south.example', 'Bücher.example'], via: ['south'] },
          { to: ['*'], via: ['north'] },
        ],
      },
    })
    const through = async (name: string): Promise<string[]> => {
      const before = [north.heard.length, south.heard.length]
      t.match(await get(world, `http://${name}:${origin.port}/`), /^HTTP\/1\.1 200/, name)
      return [north, south].flatMap((one, at) =>
        one.heard.length > (before[at] ?? 0) ? [at === 0 ? 'north' : 'south'] : [],
      )
    }
    t.strictSame(await through('south.example'), ['south'])
    t.strictSame(await through('www.south.example'), ['south'])
    t.strictSame(await through('xn--bcher-kva.example'), ['south'])
    t.strictSame(await through('notsouth.example'), ['north'])
    t.strictSame(await through('127.0.0.1'), [], 'an address by its network')
    t.strictSame(await through('127.200.0.1'), ['north'])
    t.strictSame(await through('fixed.example'), [], 'what the city has fixed itself')
  },
)

t.test('connections of different parents, and those of none, are never mixed', async t => {
  const origin = await openOrigin(t)
  const parent = await openParent(t)
  const world = await openProxyWorld(t, {
    names: [],
    dialAllow: ['127.0.0.0/8'],
    parents: {
      proxies: { rectorat: parent.url },
      routes: [
        { to: ['127.0.0.1'], via: ['direct'] },
        { to: ['*'], via: ['rectorat'] },
      ],
    },
  })
  // The parent asked as if it were a site: over a connection of its own, and not as a proxy.
  await get(world, `http://${NAME}:${origin.port}/`)
  await get(world, `http://127.0.0.1:${parent.port}/`)
  await eventually(() => parent.connections() === 2)
  t.equal(parent.connections(), 2)
  t.match(parent.heard.at(-1), { url: '/' })
  t.equal(parent.heard.at(-1)?.authorization, undefined)
})

t.test('what is refused here is never asked of a parent', async t => {
  const parent = await openParent(t)
  const world = await openProxyWorld(t, { ...all(parent.url), connectPorts: ['1024-65535'] })
  const own = world.port
  for (const host of [
    'localhost',
    'nas.local',
    'intranet',
    'db.internal',
    '127.0.0.1',
    '10.0.0.7',
    '[::1]',
    '[fe80::1]',
    '169.254.169.254',
  ]) {
    t.match(await get(world, `http://${host}:8080/`), /^HTTP\/1\.1 403 /, host)
    t.match((await tunnel(world, `${host}:8443`)).head, /^HTTP\/1\.1 (?:403|200) /, host)
  }
  t.match(await get(world, `http://games.test:8080/`), /^HTTP\/1\.1 403 /)
  t.match(await get(world, `http://www.games.test:${own}/`), /^HTTP\/1\.1 403 /)
  t.equal(parent.connections(), 0)
})

t.test('nor is Préau itself, by an address that may be reached otherwise', async t => {
  const parent = await openParent(t)
  const world = await openProxyWorld(t, { ...all(parent.url), dialAllow: ['127.0.0.0/8'] })
  t.match(await get(world, `http://127.0.0.1:${world.port}/`), /^HTTP\/1\.1 403 /)
  t.equal(parent.connections(), 0)
})
