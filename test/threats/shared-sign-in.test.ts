/**
 * NTLM and Negotiate sign in the connection itself: one that a person has signed in carries nobody else's request, whatever
 * becomes of that person's own (RFC 4559 §6, CVE-2014-0015).
 */
import t, { type Test } from 'tap'
import type { Socket } from 'node:net'
import { eventually, openProxyWorld, readUntil, type ProxyWorld } from '../support/proxy-world.ts'
import { openRecordingOrigin, type Received } from '../support/recording-origin.ts'
import { frame, KEY, switched } from '../support/websocket.ts'

const answer = (status: number, body: string, fields = ''): string =>
  `HTTP/1.1 ${status} X\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`

const fieldOf = ({ fields }: Received, name: string): string | undefined =>
  fields.find(([field]) => field === name)?.[1]

/** An origin whose connections are anonymous until they have heard both steps of a sign-in, the second with a name. */
async function openIntranet(t: Test, scheme: string) {
  const people = new WeakMap<Socket, string>()
  const begun = new WeakSet<Socket>()
  const sockets: Socket[] = []
  const origin = await openRecordingOrigin(t, (request, socket) => {
    if (!sockets.includes(socket)) sockets.push(socket)
    const [, step, name = ''] = fieldOf(request, 'authorization')?.split(' ') ?? []
    if (step === 'hello') {
      begun.add(socket)
      socket.write(answer(401, '', `WWW-Authenticate: ${scheme} challenge\r\n`))
      return
    }
    if (step === 'proof' && begun.has(socket)) people.set(socket, name)
    const person = people.get(socket)
    if (person === undefined) socket.write(answer(401, '', `WWW-Authenticate: ${scheme}\r\n`))
    else if (fieldOf(request, 'upgrade') !== undefined) {
      socket.write(switched(`Sec-WebSocket-Key: ${KEY}`))
      socket.write(frame(`for ${person}`))
    } else if (request.url === '/endless') socket.write(`HTTP/1.1 200 X\r\n\r\nfor ${person}`)
    else if (request.url === '/break') socket.resetAndDestroy()
    else socket.write(answer(200, `for ${person}`))
  })
  return { ...origin, sockets }
}

interface Asked {
  readonly authorization?: string
  readonly path?: string
  readonly method?: string
  readonly more?: string
}

const head = (
  port: number,
  { authorization, path = '/', method = 'GET', more = '' }: Asked,
): string =>
  `${method} http://free.test:${port}${path} HTTP/1.1\r\nHost: free.test\r\n` +
  (authorization === undefined ? '' : `Authorization: ${authorization}\r\n`) +
  `${more}\r\n`

/** What one PC gets over its connection. */
async function ask(socket: Socket, port: number, asked: Asked = {}): Promise<string> {
  socket.write(head(port, asked))
  return readUntil(socket, /^HTTP\/1\.1 401 [^]*\r\n\r\n|for \w+|^HTTP\/1\.1 502 [^]*\r\n\r\n/)
}

async function signIn(world: ProxyWorld, port: number, scheme: string, name: string) {
  const socket = await world.open()
  await ask(socket, port, { authorization: `${scheme} hello` })
  const page = await ask(socket, port, { authorization: `${scheme} proof ${name}` })
  return { socket, page }
}

/** Whatever connection is free now: no stranger is taken for somebody. */
async function assertNobody(t: Test, world: ProxyWorld, port: number, name: string): Promise<void> {
  const strangers = await Promise.all([world.open(), world.open(), world.open()])
  for (const stranger of strangers)
    for (const method of ['GET', 'POST', 'HEAD']) {
      const more = method === 'POST' ? 'Content-Length: 0\r\n' : ''
      const got = await ask(stranger, port, { method, more })
      t.match(got, /^HTTP\/1\.1 401 /, `${name}: ${method} of a stranger`)
    }
  for (const stranger of strangers) stranger.destroy()
}

t.test('who has signed in keeps the connection, alone', async t => {
  for (const scheme of ['NTLM', 'Negotiate', 'ntlm', 'Kerberos']) {
    const world = await openProxyWorld(t)
    const { port, connections } = await openIntranet(t, scheme)
    const { socket, page } = await signIn(world, port, scheme, 'alice')
    t.match(page, /for alice$/, scheme)
    await assertNobody(t, world, port, scheme)
    for (const method of ['GET', 'POST', 'DELETE'])
      t.match(
        await ask(socket, port, { method, more: 'Content-Length: 0\r\n' }),
        /for alice$/,
        `${scheme}: ${method} without a word of it`,
      )
    await assertNobody(t, world, port, scheme)
    socket.destroy()
    await eventually(() => connections.every(({ isOpen }) => !isOpen))
    t.ok(
      connections.every(({ isOpen }) => !isOpen),
      'it ends with the connection of its client',
    )
  }
})

t.test('two sign in at the same moment, and each is whom he says', async t => {
  const world = await openProxyWorld(t)
  const { port } = await openIntranet(t, 'NTLM')
  const [a, b] = [await world.open(), await world.open()]
  for (const step of ['hello', 'proof'])
    for (const [socket, name] of [
      [a, 'alice'],
      [b, 'bob'],
    ] as const)
      await ask(socket, port, { authorization: `NTLM ${step} ${name}` })
  for (let i = 0; i < 2; i++) {
    t.match(await ask(a, port), /for alice$/)
    t.match(await ask(b, port), /for bob$/)
  }
})

t.test('a sign-in on a connection that others have used begins on one of its own', async t => {
  const world = await openProxyWorld(t)
  const { port, sockets } = await openIntranet(t, 'NTLM')
  const anybody = await world.open()
  t.match(await ask(anybody, port), /^HTTP\/1\.1 401 [^]*\r\nProxy-Support: Session-Based-Auth/)
  const { page } = await signIn(world, port, 'NTLM', 'alice')
  t.match(page, /for alice$/)
  t.equal(sockets.length, 2, 'the one on which the sign-in was asked for is given to nobody else')
  t.match(await ask(anybody, port), /^HTTP\/1\.1 401 /)
})

t.test('nothing that ends a signed-in exchange gives its connection to another', async t => {
  const endings: Record<string, (socket: Socket, port: number) => Promise<unknown>> = {
    'an abort in the middle of an answer': async (socket, port) => {
      await ask(socket, port, { path: '/endless' })
      socket.destroy()
    },
    'an abort before the answer': async (socket, port) => {
      socket.write(head(port, {}))
      socket.destroy()
    },
    'an origin that breaks off, and a retry': async (socket, port) => {
      const retried = await ask(socket, port, { path: '/break' })
      t.match(retried, /^HTTP\/1\.1 (?:401|502) /, 'it is nobody on another connection')
      t.match(await ask(socket, port), /^HTTP\/1\.1 401 /)
    },
    'a chunked body': async (socket, port) => {
      socket.write(
        `${head(port, { method: 'POST', more: 'Transfer-Encoding: chunked\r\n' })}0\r\n\r\n`,
      )
      t.match(await readUntil(socket, /for \w+/), /for alice$/)
      t.match(await ask(socket, port), /^HTTP\/1\.1 401 /, 'that connection carries no other')
    },
    'a WebSocket': async (socket, port) => {
      const more =
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        `Sec-WebSocket-Key: ${KEY}\r\n`
      t.match(await ask(socket, port, { more }), / 101 [^]*for alice$/, 'it is signed in as well')
    },
    'its own end': async socket => void socket.end(),
    'a sign-in as somebody else': async (socket, port) => {
      await ask(socket, port, { authorization: 'NTLM hello' })
      const page = await ask(socket, port, { authorization: 'NTLM proof bob' })
      t.match(page, /for bob$/)
    },
  }
  for (const [name, end] of Object.entries(endings)) {
    const world = await openProxyWorld(t)
    const { port } = await openIntranet(t, 'NTLM')
    const { socket } = await signIn(world, port, 'NTLM', 'alice')
    await end(socket, port)
    await assertNobody(t, world, port, name)
    socket.destroy()
    await eventually(() => world.proxy.openExchanges === 0)
    await assertNobody(t, world, port, `${name}, and its client gone`)
  }
})

t.test('one client connection holds a bounded number of them', async t => {
  const world = await openProxyWorld(t)
  const intranets = await Promise.all(Array.from({ length: 20 }, () => openIntranet(t, 'NTLM')))
  const socket = await world.open()
  for (const { port } of intranets) {
    await ask(socket, port, { authorization: 'NTLM hello' })
    t.match(await ask(socket, port, { authorization: 'NTLM proof alice' }), /for alice$/)
  }
  const open = (): number =>
    intranets.flatMap(({ connections }) => connections).filter(({ isOpen }) => isOpen).length
  await eventually(() => open() <= 8)
  t.ok(open() <= 8, `${open()} are open`)
  for (const { port } of intranets.slice(0, 3)) await assertNobody(t, world, port, 'let go')
})

t.test('a sign-in of each request by itself shares connections as before', async t => {
  const world = await openProxyWorld(t)
  const origin = await openRecordingOrigin(t)
  for (const authorization of ['Basic YTpi', 'Digest username="ntlm"', 'Bearer negotiate']) {
    const socket = await world.open()
    socket.write(head(origin.port, { authorization }))
    await readUntil(socket, '\r\n\r\nok')
    socket.destroy()
  }
  t.equal(origin.connections.length, 1)
})
