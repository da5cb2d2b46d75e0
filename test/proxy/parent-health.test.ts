/** Parents that fail: noticed, left out for a while, the next way taken where the configuration names one, and used again. */
import t, { type Test } from 'tap'
import type { Socket } from 'node:net'
import { freePort } from '../support/free-port.ts'
import { openParent, type FakeParent } from '../support/parent.ts'
import {
  eventually,
  openOrigin,
  openProxyWorld,
  readUntil,
  type ProxyWorld,
} from '../support/proxy-world.ts'

const NAME = 'lycee.example'
const RETRY_MS = 300

const get = (
  world: ProxyWorld,
  port: number,
  more = '',
  method = 'GET',
  body = '',
): Promise<string> =>
  world.raw(
    `${method} http://${NAME}:${port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${more}\r\n${body}`,
  )
const connect = (world: ProxyWorld, port: number): Promise<string> =>
  world.raw(`CONNECT ${NAME}:${port} HTTP/1.1\r\nHost: x\r\n\r\n`, '\r\n\r\n')

interface Ways {
  readonly first: string
  readonly second?: string
  readonly via?: readonly string[]
  readonly answerTimeoutMs?: number
  readonly dialTimeoutMs?: number
  readonly retryAfterMs?: number
}

async function openWorld(t: Test, ways: Ways): Promise<ProxyWorld> {
  const { first, second, via = ['first'], retryAfterMs = RETRY_MS, ...limits } = ways
  const proxies = { first, ...(second === undefined ? {} : { second }) }
  return openProxyWorld(t, {
    connectPorts: ['1024-65535'],
    limits,
    parents: { proxies, routes: [{ to: ['*'], via: [...via] }], retryAfterMs },
  })
}

t.test('a parent that is down is left out, and the next one takes all, bodies too', async t => {
  const origin = await openOrigin(t)
  const second = await openParent(t)
  const dead = await freePort()
  const ways = { second: second.url, via: ['first', 'second'], retryAfterMs: 60_000 }
  for (const ask of [
    (world: ProxyWorld) => get(world, origin.port),
    (world: ProxyWorld) => get(world, origin.port, 'Content-Length: 3\r\n', 'POST', 'a=1'),
    (world: ProxyWorld) =>
      get(world, origin.port, 'Transfer-Encoding: chunked\r\n', 'PUT', '3\r\na=2\r\n0\r\n\r\n'),
    (world: ProxyWorld) => connect(world, origin.port),
  ]) {
    const world = await openWorld(t, { ...ways, first: `http://127.0.0.1:${dead}` })
    t.match(await ask(world), /^HTTP\/1\.1 200 /)
    t.match(await ask(world), /^HTTP\/1\.1 200 /)
    t.strictSame(world.parentChanges, ['first unreachable'], 'told once')
  }
  t.strictSame(
    origin.requests.map(({ body }) => body),
    ['', '', 'a=1', 'a=1', 'a=2', 'a=2'],
  )
})

t.test('the direct way is taken where it is named, and nowhere else', async t => {
  const origin = await openOrigin(t)
  const first = `http://127.0.0.1:${await freePort()}`
  const world = await openWorld(t, { first })
  t.match(await get(world, origin.port), /^HTTP\/1\.1 502 [^]*aucun proxy parent/)
  t.match(await connect(world, origin.port), /^HTTP\/1\.1 502 /)
  await eventually(() => world.log.length === 2)
  t.strictSame(
    world.log.map(({ reason }) => reason),
    ['PREAU_PARENT_DOWN', 'PREAU_PARENT_DOWN'],
  )
  t.equal(origin.requests.length, 0)
  const open = await openProxyWorld(t, {
    names: [],
    dialAllow: ['127.0.0.0/8'],
    parents: { proxies: { first }, routes: [{ to: ['*'], via: ['first', 'direct'] }] },
  })
  t.match(
    await open.raw(
      `GET http://127.0.0.1:${origin.port}/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    ),
    /^HTTP\/1\.1 200 /,
  )
})

t.test('a parent that comes back is used again, and called well once it has answered', async t => {
  const origin = await openOrigin(t)
  const port = await freePort()
  const world = await openWorld(t, { first: `http://127.0.0.1:${port}` })
  t.match(await get(world, origin.port), /^HTTP\/1\.1 502 /)
  const parent = await openParent(t, { port })
  await eventually(() => parent.connections() > 0)
  t.strictSame(parent.heard, [], 'it was tried by a connection, not by somebody’s request')
  let answer = ''
  while (!answer.startsWith('HTTP/1.1 200')) answer = await get(world, origin.port)
  t.strictSame(world.parentChanges, ['first unreachable', 'first well'])
  await parent.close()
  t.match(await get(world, origin.port), /^HTTP\/1\.1 502 /)
  t.strictSame(world.parentChanges.at(-1), 'first unreachable')
})

t.test('a parent that refuses our credentials asks no client for any', async t => {
  const origin = await openOrigin(t)
  const [first, second] = [await openParent(t, { credentials: 'a:b' }), await openParent(t)]
  const wrong = first.url.replace('a:b', 'a:wrong')
  const alone = await openWorld(t, { first: wrong, retryAfterMs: 60_000 })
  for (const ask of [get, connect]) {
    const answer = await ask(alone, origin.port)
    t.match(answer, /^HTTP\/1\.1 502 /)
    t.notMatch(answer, /proxy-authenticate|rectorat|407|wrong/i)
  }
  t.strictSame(alone.parentChanges, ['first credentials'])
  for (const ask of [get, connect]) {
    const world = await openWorld(t, { first: wrong, second: second.url, via: ['first', 'second'] })
    t.match(await ask(world, origin.port), /^HTTP\/1\.1 200 /, 'the next one is asked')
  }
  const posting = await openWorld(t, { first: wrong })
  const post = await get(posting, origin.port, 'Content-Length: 3\r\n', 'POST', 'a=1')
  t.match(post, /^HTTP\/1\.1 502 /)
  await eventually(() => posting.log.length === 1)
  t.equal(posting.log[0]?.reason, 'PREAU_PARENT_CREDENTIALS')
})

t.test('what a parent says of a site is no fault of its own', async t => {
  const answers: Record<number, string> = {
    403: 'PREAU_PARENT_REFUSED',
    502: 'PREAU_UNREACHABLE',
    503: 'PREAU_UNREACHABLE',
    504: 'PREAU_DIAL_TIMEOUT',
  }
  for (const [status, reason] of Object.entries(answers)) {
    const parent = await openParent(t, {
      instead: socket => {
        socket.end(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\nsorry`)
        return true
      },
    })
    const world = await openWorld(t, { first: parent.url })
    t.match(await connect(world, 8443), status === '504' ? /^HTTP\/1\.1 504 / : /^HTTP\/1\.1 502 /)
    t.match(
      await get(world, 8080),
      new RegExp(`^HTTP/1\\.1 ${status} [^]*sorry`),
      'a page of its own',
    )
    await eventually(() => world.log.length === 2)
    t.equal(world.log.find(({ method }) => method === 'CONNECT')?.reason, reason)
    t.strictSame(world.parentChanges, [])
  }
})

t.test('a parent that hangs is left out after some requests in a row, not after one', async t => {
  const origin = await openOrigin(t)
  let isMute = true
  const parent = await openParent(t, { instead: () => isMute })
  for (const ask of [get, connect]) {
    isMute = true
    const limits = { answerTimeoutMs: 100, dialTimeoutMs: 100 }
    const world = await openWorld(t, { first: parent.url, retryAfterMs: 200, ...limits })
    for (const silent of [1, 2, 3]) {
      t.match(await ask(world, origin.port), /^HTTP\/1\.1 504 /, `${silent}`)
      t.equal(world.parentChanges.length, silent === 3 ? 1 : 0)
    }
    t.strictSame(world.parentChanges, ['first silent'])
    t.match(await ask(world, origin.port), /^HTTP\/1\.1 502 /, 'nobody waits for it')
    isMute = false
    let answer = ''
    while (!answer.startsWith('HTTP/1.1 200')) answer = await ask(world, origin.port)
    t.strictSame(world.parentChanges, ['first silent', 'first well'])
  }
})

t.test('what is no proxy is left out: it closes, or talks something else', async t => {
  const second = await openParent(t)
  const origin = await openOrigin(t)
  for (const said of ['', 'SSH-2.0-x\r\n', `HTTP/1.1 200 OK\r\nX: ${'y'.repeat(20_000)}`]) {
    const parent = await openParent(t, { instead: socket => Boolean(socket.end(said)) })
    const ways = { first: parent.url, second: second.url, via: ['first', 'second'] }
    const world = await openWorld(t, ways)
    t.match(await connect(world, origin.port), /^HTTP\/1\.1 200 /)
    t.strictSame(world.parentChanges, ['first broken'])
  }
})

t.test(
  'an answer that breaks off with its parent does not end cleanly, and is not asked for again',
  async t => {
    const parent = await openParent(t, {
      instead: socket => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf')
        setTimeout(() => socket.resetAndDestroy(), 20)
        return true
      },
    })
    const world = await openWorld(t, { first: parent.url })
    t.match(await get(world, 8080), /^HTTP\/1\.1 200 [^]*half$/)
    await eventually(() => world.log.length === 1)
    t.match(world.log, [{ status: 200, reason: 'PREAU_UNREACHABLE' }])
    t.equal(parent.heard.length, 1)
  },
)

t.test(
  'a kept connection that a parent closes just as it is used costs nobody an error',
  async t => {
    const origin = await openOrigin(t)
    const served = new WeakSet<Socket>()
    const parent: FakeParent = await openParent(t, {
      instead: socket => {
        if (!served.has(socket)) return (void served.add(socket), false)
        socket.resetAndDestroy()
        return true
      },
    })
    const world = await openWorld(t, { first: parent.url })
    for (const method of ['GET', 'GET', 'POST', 'GET'])
      t.match(await get(world, origin.port, 'Content-Length: 0\r\n', method), /^HTTP\/1\.1 200 /)
    t.strictSame(world.parentChanges, [])
  },
)

t.test('a client that leaves while its parent is asked takes that connection along', async t => {
  let ended = 0
  const parent = await openParent(t, {
    instead: socket => Boolean(socket.resume().on('end', () => ended++)),
  })
  const world = await openWorld(t, { first: parent.url })
  for (const request of [
    `CONNECT ${NAME}:8443 HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET http://${NAME}:8080/ HTTP/1.1\r\nHost: x\r\n\r\n`,
  ]) {
    const before = ended
    const asked = parent.heard.length
    const socket = await world.open()
    socket.write(request)
    await eventually(() => parent.heard.length > asked)
    socket.resetAndDestroy()
    await eventually(() => ended > before)
    t.equal(ended, before + 1, request)
  }
  await eventually(() => world.log.length === 2)
  t.strictSame(world.parentChanges, [], 'that is no fault of the parent')
})

t.test('a tunnel that a parent lets go of ends for its client', async t => {
  const origin = await openOrigin(t)
  const parent = await openParent(t)
  const world = await openWorld(t, { first: parent.url })
  const socket = await world.open()
  socket.write(`CONNECT ${NAME}:${origin.port} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  await parent.close()
  await readUntil(socket)
  socket.end()
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ status: 200 }])
})
