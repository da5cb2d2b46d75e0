/** Methods that Node’s parser does not know, and addresses that it refuses: they pass, framed as every other request. */
import t from 'tap'
import { eventually, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { openRecordingOrigin, sendAll } from '../support/recording-origin.ts'

const origin = await openRecordingOrigin(t)
const world = await openProxyWorld(t)
const at = `free.test:${origin.port}`
const head = (method: string, path: string, fields = ''): string =>
  `${method} http://${at}${path} HTTP/1.1\r\nHost: ${at}\r\n${fields}\r\n`
const seen = (): string[] => origin.requests.map(request => told(request))
const told = ({ method, url, body }: { method: string; url: string; body: string }): string =>
  `${method} ${url} ${body}`
t.beforeEach(() => {
  origin.clear()
  world.log.length = 0
})

t.test('what Subversion, Configuration Manager and BITS ask reaches the origin', async t => {
  const methods = [
    'CCM_POST',
    'BITS_POST',
    'VERSION-CONTROL',
    'BASELINE-CONTROL',
    'UPDATE',
    'LABEL',
    'UNCHECKOUT',
    'UPDATEREDIRECTREF',
    'RPC_IN_DATA',
  ]
  for (const method of methods)
    t.match(await sendAll(world, head(method, '/svn', 'Connection: close\r\n')), / 200 /, method)
  t.strictSame(
    seen(),
    methods.map(method => `${method} /svn `),
  )
  await eventually(() => world.log.length === methods.length)
  t.strictSame(
    world.log.map(({ method, status, verdict }) => [method, status, verdict]),
    methods.map(method => [method, 200, 'allow']),
  )
  t.strictSame(origin.faults, [])
})

const HIDDEN = `CCM_POST http://games.test/hidden HTTP/1.1\r\nHost: a\r\n\r\n`
const chunked = (body: string): string => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
const CHUNKED = 'Transfer-Encoding: chunked\r\n'
const sized = (body: string): string => `Content-Length: ${body.length}\r\n`
/** Five requests of one connection, and what the origin must see of them. */
const conversation =
  head('CCM_POST', '/1', sized(HIDDEN)) +
  HIDDEN +
  head('GET', '/2/\xe9?\xff') +
  head('BITS_POST', '/3', CHUNKED) +
  chunked(HIDDEN) +
  head('PUT', '/4', CHUNKED) +
  chunked('a\r\n\r\n0\r\n\r\n') +
  head('LABEL', '/\xe9/5', 'Connection: close\r\n')
const expected = [
  `CCM_POST /1 ${HIDDEN}`,
  'GET /2/\xe9?\xff ',
  `BITS_POST /3 ${HIDDEN}`,
  'PUT /4 a\r\n\r\n0\r\n\r\n',
  'LABEL /\xe9/5 ',
].toSorted()

t.test('one connection carries many of them; no body is read as a request', async t => {
  t.equal((await sendAll(world, conversation)).match(/HTTP\/1\.1 200 /g)?.length, 5)
  t.strictSame(seen().toSorted(), expected)
  t.strictSame(origin.faults, [])
  await eventually(() => world.log.length === 5)
  t.equal(world.log.length, 5)
})

t.test('wherever the pieces of what is sent begin and end', async t => {
  const bytes = Buffer.from(conversation, 'latin1')
  for (const size of [1, 2, 3, 7, 64]) {
    origin.clear()
    const socket = await world.open()
    const answer = readUntil(socket)
    for (let i = 0; i < bytes.length; i += size) {
      socket.write(bytes.subarray(i, i + size))
      await new Promise(resolve => setImmediate(resolve))
    }
    t.equal((await answer).match(/HTTP\/1\.1 200 /g)?.length, 5, `${size} bytes at once`)
    t.strictSame(seen().toSorted(), expected)
  }
  t.strictSame(origin.faults, [])
})

t.test('a client that waits for each answer keeps its connection', async t => {
  const socket = await world.open()
  for (let i = 0; i < 3; i++) {
    socket.write(head('CCM_POST', `/${i}`, sized('ok')))
    socket.write('ok')
    t.match(await readUntil(socket, '\r\n\r\nok'), /^HTTP\/1\.1 200 /)
    socket.write(head('HEAD', '/é'))
    t.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 200 [^]*\r\n\r\n$/)
  }
  t.equal(origin.requests.length, 6)
})

t.test('the origin says whether it takes the body (100-continue)', async t => {
  let heard = ''
  const port = await openRawOrigin(t, socket =>
    socket.on('data', chunk => {
      heard += chunk.toString()
      if (heard.endsWith('\r\n\r\n')) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      if (heard.endsWith('hello')) socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    }),
  )
  const socket = await world.open()
  socket.write(
    `BITS_POST http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`,
  )
  t.equal(await readUntil(socket, '\r\n\r\n'), 'HTTP/1.1 100 Continue\r\n\r\n')
  socket.write('hello')
  t.match(await readUntil(socket, 'ok'), /^HTTP\/1\.1 200 /)
  t.match(heard, /^BITS_POST \/ HTTP\/1\.1\r\n/)
})

t.test('a refused site is its page, whatever the method and the address', async t => {
  for (const line of ['CCM_POST http://games.test/', 'GET http://games.test/é'])
    t.match(
      await sendAll(world, `${line} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 403 [^]*refused page/,
      line,
    )
})

t.test(
  'a WebSocket with such an address switches, and a CONNECT behind one is a tunnel',
  async t => {
    const port = await openRawOrigin(t, socket =>
      socket.on('data', chunk => {
        const text = chunk.toString('latin1')
        if (text.startsWith('GET '))
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n${text.split(' ')[1]}`,
          )
        else socket.write(`echo ${text}`)
      }),
    )
    const socket = await world.open()
    const handshake = `GET http://free.test:${port}/\xe9 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly`
    socket.write(Buffer.from(handshake, 'latin1'))
    t.match(await readUntil(socket, 'echo early'), /^HTTP\/1\.1 101 /)
    const other = await world.open()
    other.write(head('CCM_POST', '/', sized('ok')))
    other.write('ok')
    t.match(await readUntil(other, '\r\n\r\nok'), /^HTTP\/1\.1 200 /)
    other.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: free.test:${port}\r\n\r\nearly`)
    t.match(await readUntil(other, 'echo early'), /^HTTP\/1\.1 200 Connection Established/)
    other.write(' and late')
    await readUntil(other, 'echo  and late')
  },
)

t.test(
  'behind another request Node cannot read it: the connection ends, and the client asks anew',
  async t => {
    for (const odd of [head('CCM_POST', '/again'), head('GET', '/é')]) {
      origin.clear()
      world.log.length = 0
      const socket = await world.open()
      socket.write(head('GET', '/first'))
      t.match(await readUntil(socket, '\r\n\r\nok'), /^HTTP\/1\.1 200 /)
      await eventually(() => world.log.length === 1)
      socket.write(odd)
      t.equal(await readUntil(socket), '', 'no answer that could be taken for its own')
      t.ok(socket.readableEnded)
      socket.destroy()
      await eventually(() => world.log.length === 2)
      t.match(world.log[1], { verdict: 'none', reason: 'PREAU_BAD_REQUEST', status: 0 })
      t.equal(origin.requests.length, 1)
    }
  },
)

t.test('what could be read in two ways stays refused', async t => {
  for (const line of [
    `get http://${at}/ HTTP/1.1`,
    `Post http://${at}/ HTTP/1.1`,
    `Ccm_Post http://${at}/ HTTP/1.1`,
    `trace http://${at}/ HTTP/1.1`,
    `connect http://${at}/ HTTP/1.1`,
    `CCM_POST  http://${at}/ HTTP/1.1`,
    `CCM_POST http://${at}/ x HTTP/1.1`,
    `CCM_POST http://${at}/ HTTP/1.2`,
    `CCM_POST http://${at}/ HTTP/2.0`,
    `CCM_POST http://${at}/`,
    `CCM_POST /`,
    `CCM_POST ${at}`,
    `PRI http://${at}/ HTTP/1.1`,
    `CCM(POST) http://${at}/ HTTP/1.1`,
    `${'X'.repeat(33)} http://${at}/ HTTP/1.1`,
    `CCM_POST http://${at}/\x7f HTTP/1.1`,
    `CCM_POST http://${at}/\x01 HTTP/1.1`,
    `GET http://free.t\xe9st:${origin.port}/ HTTP/1.1`,
  ])
    t.match(await sendAll(world, `${line}\r\nHost: a\r\n\r\n`), /^(?:HTTP\/1\.1 400 |$)/, line)
  for (const fields of [
    `Content-Length: 2\r\n${CHUNKED}`,
    'Content-Length: 2\r\nContent-Length: 3\r\n',
    'Content-Length: -1\r\n',
    'Transfer-Encoding: gzip\r\n',
    'Host: b\r\n',
    'X : y\r\n',
    'X: y\n',
    ' folded\r\n',
  ])
    t.match(await sendAll(world, head('CCM_POST', '/', fields)), /^HTTP\/1\.1 400 /, fields)
  t.strictSame(origin.requests, [])
})

t.test('a client that ends its sending behind one gets its answer', async t => {
  const socket = await world.open()
  socket.end(head('VERSION-CONTROL', '/'))
  t.match(await readUntil(socket), /^HTTP\/1\.1 200 /)
})

t.test('half a line is not waited for without end, on a new connection or a kept one', async t => {
  const impatient = await openProxyWorld(t, { limits: { headTimeoutMs: 200 } })
  const socket = await impatient.open()
  socket.write('CCM_POST http://free')
  t.match(await readUntil(socket), /^HTTP\/1\.1 408 /)
  const kept = await impatient.open()
  kept.write(head('CCM_POST', '/'))
  t.match(await readUntil(kept, '\r\n\r\nok'), /^HTTP\/1\.1 200 /)
  kept.write('GET http://free')
  t.match(await readUntil(kept), /^HTTP\/1\.1 408 /)
  t.ok(impatient.limited.every(limit => limit === 'headTimeoutMs'))
})

t.test('an upload of many megabytes arrives whole, sized or in chunks', async t => {
  const body = Buffer.alloc(5_000_000, 'line\r\n\r\n0\r\n\r\n')
  const heard: Buffer[] = []
  const port = await openRawOrigin(t, socket => {
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      heard.push(chunk)
      bytes += chunk.length
      if (bytes > body.length && chunk.subarray(-16).includes('END'))
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  body.write('END', body.length - 3)
  const line = `CCM_POST http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\n`
  const socket = await world.open()
  socket.write(`${line}Content-Length: ${body.length}\r\n\r\n`)
  socket.write(body)
  t.match(await readUntil(socket, 'ok'), /^HTTP\/1\.1 200 /)
  const arrived = Buffer.concat(heard.splice(0))
  t.ok(arrived.subarray(arrived.indexOf('\r\n\r\n') + 4).equals(body))
  socket.write(`${line}Connection: close\r\n${CHUNKED}\r\n`)
  for (let at = 0; at < body.length; at += 100_000) {
    socket.write('186a0\r\n')
    socket.write(body.subarray(at, at + 100_000))
    socket.write('\r\n')
  }
  socket.write('0\r\n\r\n')
  t.match(await readUntil(socket, 'ok'), /^HTTP\/1\.1 200 /)
  t.ok(Buffer.concat(heard).length > body.length)
})
