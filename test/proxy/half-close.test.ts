/** Ends that come early, late or from both sides: each is passed on, and nothing of it holds a connection. */
import t from 'tap'
import type { Socket } from 'node:net'
import { eventually, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'
import { accept, frame, handshake, switched } from '../support/websocket.ts'

/** Whether a write does not go, for so long that it will not. */
const isStuck = (socket: Socket, bytes: Buffer): Promise<boolean> =>
  new Promise(resolve => {
    const timer = setTimeout(() => resolve(true), 300)
    socket.write(bytes, () => {
      clearTimeout(timer)
      resolve(false)
    })
  })

t.test('a client that ends its sending with its CONNECT still gets the answer', async t => {
  const port = await openRawOrigin(t, socket => {
    let asked = ''
    socket.on('data', chunk => (asked += chunk))
    socket.on('end', () => socket.end(`answer to ${asked}`))
  })
  const world = await openProxyWorld(t)
  for (const early of ['', 'a question']) {
    const socket = await world.open()
    socket.end(`CONNECT free.test:${port} HTTP/1.1\r\nHost: x\r\n\r\n${early}`)
    t.match(await readUntil(socket), new RegExp(`\r\n\r\nanswer to ${early}$`))
  }
  await eventually(() => world.log.length === 2)
  t.equal(world.log.length, 2)
})

t.test('an end that comes while Node reads an odd CONNECT is passed on too', async t => {
  const port = await openRawOrigin(t, socket => {
    socket.resume()
    socket.on('end', () => socket.end('the answer'))
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(`CONNECT free.test:${port} HTTP/1.1\r\n`)
  socket.end('Host: x\r\n\r\n')
  t.match(await readUntil(socket), /\r\n\r\nthe answer$/)
})

t.test('an origin that ends in the midst of an upload does not leave the client stuck', async t => {
  let go = (): void => undefined
  const port = await openRawOrigin(t, socket => {
    socket.once('data', () => {
      socket.pause()
      go = () => {
        socket.end('too large')
        socket.resume()
      }
    })
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  const piece = Buffer.alloc(1 << 20, 1)
  let sent = 0
  // Until all buffers on the way are full.
  let isFull = false
  while (!isFull && sent++ < 64) isFull = await isStuck(socket, piece)
  go()
  t.match(await readUntil(socket, 'too large'), /too large$/)
  socket.end()
  await eventually(() => world.log.length === 1)
  t.equal(world.log.length, 1)
  t.equal(world.proxy.openExchanges, 0)
})

t.test('a handshake that is answered with a large page is relayed whole', async t => {
  const body = Buffer.alloc(8 << 20, 97)
  const port = await openRawOrigin(t, socket => {
    socket.once('data', () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`)
      socket.write(body)
    })
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(handshake(`http://free.test:${port}/`, `free.test:${port}`))
  const all = await readUntil(socket)
  t.ok(all.length > body.length, `${all.length} bytes`)
})

t.test('a handshake whose plain answer breaks off is not answered a second time', async t => {
  const origins: Socket[] = []
  const port = await openRawOrigin(t, socket => {
    origins.push(socket)
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf'))
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(handshake(`http://free.test:${port}/`, `free.test:${port}`))
  await readUntil(socket, 'half')
  origins[0]?.resetAndDestroy()
  t.equal(await readUntil(socket), '')
  socket.end()
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ status: 200 }])
})

t.test('a WebSocket that breaks at the client breaks at the origin', async t => {
  let code: string | undefined
  const port = await openRawOrigin(t, socket => {
    accept(socket)
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code))
    socket.once('end', () => (code ??= 'a clean end'))
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(handshake(`http://free.test:${port}/`, `free.test:${port}`))
  await readUntil(socket, '\r\n\r\n')
  socket.resetAndDestroy()
  await eventually(() => code !== undefined)
  t.equal(code, 'ECONNRESET')
})

t.test('a client that ends while its WebSocket is asked for: the end is passed on', async t => {
  const port = await openRawOrigin(t, socket => {
    socket.once('data', (head: Buffer) => setTimeout(() => socket.write(switched(head)), 100))
    socket.on('end', () => socket.end(frame('the end')))
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.end(handshake(`http://free.test:${port}/`, `free.test:${port}`))
  t.match(await readUntil(socket), /the end$/)
  await eventually(() => world.log.length === 1)
  t.equal(world.log.length, 1)
})

t.test('a client that ends in the midst of its hello to a refused site is let go', async t => {
  const world = await openProxyWorld(t, { limits: { helloTimeoutMs: 60_000 } })
  const socket = await world.open()
  socket.end(
    Buffer.from('CONNECT games.test:8443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01', 'latin1'),
  )
  await readUntil(socket)
  t.ok(socket.readableEnded)
  await eventually(() => world.log.length === 1)
  t.match(world.log, [{ verdict: 'block' }])
})

t.test('each of the requests that wait on a connection is logged when it breaks', async t => {
  const port = await openRawOrigin(t, socket => socket.resume())
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(`GET http://free.test:${port}/ HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(5))
  await eventually(() => world.proxy.openExchanges === 5)
  socket.resetAndDestroy()
  await eventually(() => world.log.length === 5)
  t.equal(world.log.length, 5)
})

t.test('an origin that breaks after its end takes nothing back from the client', async t => {
  const origins: Socket[] = []
  const port = await openRawOrigin(t, socket => {
    origins.push(socket)
    socket.once('data', () => {
      socket.pause()
      socket.end('too large')
    })
  })
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(`CONNECT free.test:${port} HTTP/1.1\r\nHost: x\r\n\r\n`)
  await readUntil(socket, '\r\n\r\n')
  // Written once it was thrown away, or once the connection broke.
  const written = new Promise(resolve => socket.write(Buffer.alloc(16 << 20), resolve))
  t.equal(await readUntil(socket), 'too large')
  // It still holds what was uploaded: closing resets.
  origins[0]?.destroy()
  t.notOk(await written, 'the client was not cut')
})
