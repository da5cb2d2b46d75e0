/** Plain HTTP: what a client and an origin get of each other, and what becomes of either when the other fails. */
import t from 'tap'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const close = 'Connection: close\r\n'

t.test(
  'a request in absolute form reaches its origin in origin form, with the Host of the target',
  async t => {
    const origin = await openOrigin(t)
    const world = await openProxyWorld(t)
    const url = `http://free.test:${origin.port}/a%2Fb//c?q=1`
    const answer = await world.raw(`GET ${url} HTTP/1.1\r\nHost: games.test\r\n${close}\r\n`)
    t.match(answer, /^HTTP\/1\.1 200 OK/)
    t.match(answer, /\r\nvia: 1\.1 preau\r\n/i)
    t.match(answer, /hello \/a%2Fb\/\/c\?q=1/)
    t.match(origin.requests, [
      {
        method: 'GET',
        url: '/a%2Fb//c?q=1',
        headers: { host: `free.test:${origin.port}`, via: '1.1 preau' },
      },
    ])
    await eventually(() => world.log.length === 1)
    t.match(world.log, [
      {
        method: 'GET',
        host: 'free.test',
        verdict: 'allow',
        status: 200,
        ip: '127.0.0.1',
        room: 'Salle 1',
      },
    ])
    t.notOk(JSON.stringify(world.log).includes('q=1'), 'the log holds no path and no query')
  },
)

t.test('a body goes up and an answer comes down, chunked or not', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const head = `POST http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\n${close}`
  await world.raw(`${head}Content-Length: 5\r\n\r\nhello`)
  await world.raw(`${head}Transfer-Encoding: chunked\r\n\r\n5\r\nHELLO\r\n0\r\n\r\n`)
  t.strictSame(
    origin.requests.map(({ body }) => body),
    ['hello', 'HELLO'],
  )
})

t.test('fields that concern one hop stay on it, those named by Connection too', async t => {
  const origin = await openOrigin(t, (_request, response) => {
    response.writeHead(
      200,
      [
        ['Connection', 'X-Gone'],
        ['X-Gone', '1'],
        ['Proxy-Authenticate', 'Basic'],
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Kept', '1'],
      ].flat(),
    )
    response.end('ok')
  })
  const world = await openProxyWorld(t)
  const answer = await world.raw(
    `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\nConnection: close, X-Hop, Host, Content-Length\r\nX-Hop: 1\r\n` +
      'Proxy-Authorization: Basic c2VjcmV0\r\nProxy-Connection: keep-alive\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nX-End: 1\r\n\r\n',
  )
  const names = Object.keys(origin.requests[0]?.headers ?? {})
  for (const gone of ['x-hop', 'proxy-authorization', 'proxy-connection', 'te', 'upgrade'])
    t.notOk(names.includes(gone), gone)
  t.ok(names.includes('x-end') && names.includes('host'), 'what is for the origin arrives')
  t.notMatch(answer, /x-gone|proxy-authenticate/i)
  t.match(answer, /set-cookie: a=1\r\nset-cookie: b=2/i, 'several cookies stay apart and in order')
  t.match(answer, /x-kept: 1/i)
})

t.test('a kept connection serves many requests, each judged anew', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const socket = await world.open()
  const before = socket.listenerCount('error')
  const ask = (name: string) =>
    `GET http://${name}:${origin.port}/ HTTP/1.1\r\nHost: ${name}\r\n\r\n`
  for (const [name, expected] of [
    ['free.test', '200'],
    ['games.test', '403'],
    ['free.test', '200'],
  ] as const) {
    socket.write(ask(name))
    t.match(
      await readUntil(socket, /hello \/|refused page/),
      new RegExp(`^HTTP/1.1 ${expected}`),
      name,
    )
  }
  t.equal(origin.requests.length, 2)
  t.equal(socket.listenerCount('error'), before)
  await eventually(() => world.log.length === 3)
  t.strictSame(
    world.log.map(({ status }) => status),
    [200, 403, 200],
  )
  t.ok(
    world.log.every(({ bytesUp, bytesDown }) => bytesUp > 40 && bytesUp < 120 && bytesDown > 40),
    'each exchange counts its own bytes',
  )
})

t.test('an origin that cannot be reached is told from one that answers nonsense', async t => {
  const world = await openProxyWorld(t)
  const garbage = await openRawOrigin(t, socket =>
    socket.on('data', () => socket.end('no such thing\r\n\r\n')),
  )
  const ask = (port: number, accept = '*/*') =>
    world.raw(
      `GET http://free.test:${port}/ HTTP/1.1\r\nHost: free.test\r\nAccept: ${accept}\r\n${close}\r\n`,
    )
  t.match(await ask(1_025), /^HTTP\/1\.1 502 [\s\S]*Le site free\.test ne répond pas/u)
  t.match(await ask(garbage), /^HTTP\/1\.1 502 [\s\S]*n.est pas valide/u)
  t.match(await ask(1_025, 'text/html'), /<p>PREAU_UNREACHABLE<\/p>/, 'a person gets a page')
  await eventually(() => world.log.length === 3)
  t.strictSame(
    world.log.map(({ reason }) => reason),
    ['PREAU_UNREACHABLE', 'PREAU_BAD_ANSWER', 'PREAU_UNREACHABLE'],
  )
})

t.test('an answer that cannot be passed on is a 502, not the end of the worker', async t => {
  const world = await openProxyWorld(t)
  const answers = [
    'HTTP/1.1 000 x\r\nContent-Length: 0\r\n\r\n',
    'HTTP/1.1 200 a\x01b\r\nContent-Length: 2\r\n\r\nok',
    'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  ]
  for (const text of answers) {
    const port = await openRawOrigin(t, socket => socket.once('data', () => socket.write(text)))
    const ask = `GET http://free.test:${port}/ HTTP/1.1\r\nHost: free.test\r\n${close}`
    t.match(await world.raw(`${ask}\r\n`), /^HTTP\/1\.1 502 [\s\S]*n.est pas valide/u, text)
  }
})

t.test('an answer that comes before the end of the upload reaches the client', async t => {
  const body = Buffer.alloc(4 << 20)
  const hasty = await openRawOrigin(t, socket =>
    socket.once('data', () => {
      socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno')
      setTimeout(() => socket.destroy(), 50)
    }),
  )
  const world = await openProxyWorld(t)
  for (const [port, status] of [
    [hasty, 413],
    [1_025, 502],
    [22, 403],
  ] as const) {
    const socket = await world.open()
    socket.write(
      `POST http://free.test:${port}/ HTTP/1.1\r\nHost: free.test\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    const answer = readUntil(socket, /\r\n\r\n[^]+/)
    await new Promise(resolve => socket.write(body, resolve))
    t.match(await answer, new RegExp(`^HTTP/1.1 ${status} `))
    socket.write(`GET http://games.test/ HTTP/1.1\r\nHost: games.test\r\n\r\n`)
    t.match(await readUntil(socket, 'refused page'), /HTTP\/1\.1 403/, 'the connection goes on')
  }
})

t.test('less time for a whole request than for its head is no reason not to start', async t => {
  const world = await openProxyWorld(t, { limits: { requestTimeoutMs: 1_000 } })
  t.match(await world.raw(`GET http://games.test/ HTTP/1.1\r\nHost: a\r\n${close}\r\n`), / 403 /)
})

t.test('an origin that is silent too long is answered 504', async t => {
  const origin = await openOrigin(t, () => undefined)
  const world = await openProxyWorld(t, { limits: { answerTimeoutMs: 200 } })
  t.match(
    await world.raw(
      `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\n${close}\r\n`,
    ),
    /^HTTP\/1\.1 504 /,
  )
})

t.test('an origin that falls silent in the middle of its answer is given up', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf')),
  )
  const world = await openProxyWorld(t, { limits: { tunnelIdleTimeoutMs: 200 } })
  const answer = await world.raw(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  t.match(answer, /^HTTP\/1\.1 200 [^]*half$/)
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ reason: 'PREAU_DIAL_TIMEOUT', status: 200 }])
  t.strictSame(world.limited, ['tunnelIdleTimeoutMs'])
})

t.test('an answer that breaks off does not end cleanly for the client', async t => {
  const origin = await openOrigin(t, (_request, response) => {
    response.writeHead(200, { 'Content-Length': 1_000 })
    response.write('half')
    setTimeout(() => response.destroy(), 50)
  })
  const world = await openProxyWorld(t)
  const answer = await world.raw(
    `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\n${close}\r\n`,
  )
  t.match(answer, /content-length: 1000/i)
  t.ok(
    answer.endsWith('half'),
    'the client got less than was announced, and the connection is closed',
  )
})

t.test('a client that leaves takes its upstream connection with it', async t => {
  let closed = false
  const origin = await openOrigin(t, (request, response) => {
    response.write('x'.repeat(100_000))
    request.socket.once('close', () => (closed = true))
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(`GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\n\r\n`)
  await readUntil(socket, 'xxxx')
  socket.destroy()
  await eventually(() => closed)
  t.ok(closed)
})

t.test(
  'a kept origin connection that closes just as it is used costs the client nothing',
  async t => {
    let served = 0
    const port = await openRawOrigin(t, socket => {
      let seen = 0
      socket.on('data', () => {
        // The second request on a connection meets a closing one.
        if (++seen > 1) socket.resetAndDestroy()
        else {
          served++
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        }
      })
    })
    const world = await openProxyWorld(t)
    const ask = () =>
      world.raw(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: free.test\r\n${close}\r\n`)
    t.match(await ask(), /^HTTP\/1\.1 200/)
    t.match(await ask(), /^HTTP\/1\.1 200/)
    t.equal(served, 2)
  },
)

t.test('what may not be sent twice never meets a kept connection, and is sent once', async t => {
  const seen: string[] = []
  // It closes each connection just as a second request comes.
  const port = await openRawOrigin(t, socket => {
    let count = 0
    socket.on('data', data => {
      seen.push(String(data).split(' ', 1)[0] ?? '')
      if (++count > 1) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  const world = await openProxyWorld(t)
  const ask = (method: string, body = '') =>
    world.raw(
      `${method} http://free.test:${port}/ HTTP/1.1\r\nHost: free.test\r\n${close}` +
        (body === '' ? '\r\n' : `Content-Length: ${body.length}\r\n\r\n${body}`),
    )
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'MKCOL', 'LOCK', 'GET']) {
    t.match(await ask('GET'), /^HTTP\/1\.1 200/, 'a connection is kept')
    seen.length = 0
    t.match(await ask(method, method === 'DELETE' ? '' : 'a=1'), /^HTTP\/1\.1 200/, method)
    t.strictSame(seen, [method])
  }
})
