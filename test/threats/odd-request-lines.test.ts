/** Cases 40, 57 and 58 of the catalogue: request lines that a lenient filter reads otherwise than the origin does. */
import t from 'tap'
import { openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'

const tail = 'Host: a\r\nConnection: close\r\n\r\n'

t.test('a line that comes byte by byte is judged as one that comes whole', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { withoutCa: true })
  for (const line of [
    `GET http://games.test:${origin.port}/`,
    `CONNECT games.test:${origin.port}`,
    `POST http://games.test:${origin.port}/`,
  ]) {
    const socket = await world.open()
    for (const byte of Buffer.from(`${line} HTTP/1.1\r\n${tail}`)) {
      socket.write(Buffer.from([byte]))
      await new Promise(resolve => setImmediate(resolve))
    }
    t.match(await readUntil(socket, '\r\n\r\n'), /^HTTP\/1\.1 403 /, line)
  }
  t.equal(origin.requests.length, 0)
})

t.test('empty lines before it, or one space more, change nothing (nmap#1288)', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t, { withoutCa: true })
  for (const before of ['\r\n', '\r\n\r\n\r\n', '\n', '\n\r\n']) {
    for (const line of [
      `GET http://games.test:${origin.port}/`,
      `CONNECT games.test:${origin.port}`,
    ]) {
      const answer = await world.raw(`${before}${line} HTTP/1.1\r\n${tail}`, '\r\n\r\n')
      t.match(answer, /^HTTP\/1\.1 40[03] /, JSON.stringify(before) + line)
    }
  }
  for (const line of ['GET  http://games.test/', 'CONNECT  games.test:443 '])
    t.match(await world.raw(`${line} HTTP/1.1\r\n${tail}`), /^HTTP\/1\.1 40[03] /, line)
  t.equal(origin.requests.length, 0)
})

t.test('a line that can be read in two ways is refused, whatever it names', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const target = `free.test:${origin.port}`
  const lines: Record<string, string> = {
    'a tab for the space': `GET\thttp://${target}/ HTTP/1.1`,
    'a tab before the version': `GET http://${target}/\tHTTP/1.1`,
    'a tab in CONNECT': `CONNECT\t${target} HTTP/1.1`,
    'a space in the path': `GET http://${target}/a b HTTP/1.1`,
    'a space before the method': ` GET http://${target}/ HTTP/1.1`,
    'a method in small letters': `get http://${target}/ HTTP/1.1`,
    'CONNECT in small letters': `connect ${target} HTTP/1.1`,
    'no version': `GET http://${target}/`,
    'version 2': `GET http://${target}/ HTTP/2.0`,
    'version 2 in CONNECT': `CONNECT ${target} HTTP/2.0`,
    'version 1.2': `CONNECT ${target} HTTP/1.2`,
    'a NUL in the host': `GET http://free\0.test:${origin.port}/ HTTP/1.1`,
    'a NUL in the target of CONNECT': `CONNECT free.test\0:${origin.port} HTTP/1.1`,
    'a bare CR in the host': `GET http://free\r.test:${origin.port}/ HTTP/1.1`,
    'a line break in the target of CONNECT': `CONNECT free.test\n:${origin.port} HTTP/1.1`,
    'a tab in the host': `GET http://free\t.test:${origin.port}/ HTTP/1.1`,
    'a space in the target of CONNECT': `CONNECT free.test :${origin.port} HTTP/1.1`,
    'no port': 'CONNECT free.test HTTP/1.1',
    'a path in CONNECT': `CONNECT ${target}/ HTTP/1.1`,
    'an address in CONNECT': `CONNECT http://${target} HTTP/1.1`,
  }
  for (const [title, line] of Object.entries(lines)) {
    t.match(await world.raw(`${line}\r\n${tail}`, '\r\n\r\n'), /^HTTP\/1\.1 400 /, title)
  }
  t.equal(origin.requests.length, 0)
})

t.test('no protocol but HTTP is relayed, though Node’s parser reads RTSP and ICE too', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const url = `http://free.test:${origin.port}/`
  const get = `GET ${url} HTTP/1.1\r\nHost: a\r\n\r\n`
  for (const before of ['', '\r\n', '\n\r\n', get])
    for (const line of [
      `GET ${url} RTSP/1.0`,
      `OPTIONS ${url} RTSP/1.0`,
      `SETUP ${url} RTSP/1.0`,
      `SOURCE ${url} ICE/1.0`,
      `GET ${url} ICE/1.0`,
    ])
      t.match(
        await world.raw(`${before}${line}\r\n${tail}`),
        /^(?:HTTP\/1\.1 200 [^]*hello \/[^]*)?HTTP\/1\.1 400 /,
        JSON.stringify(before) + line,
      )
  t.ok(origin.requests.length === 5 && origin.requests.every(({ method }) => method === 'GET'))
  for (const line of [`GET ${url} RTSP/1.1`, `GET ${url} RTSP/1.0 `])
    t.match(await world.raw(`${line}\r\n${tail}`), /^HTTP\/1\.1 400 /, line)
})

t.test('no scheme but http is relayed', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const place = `free.test:${origin.port}/`
  for (const url of [
    `ws://${place}`,
    `wss://${place}`,
    `https://${place}`,
    `ftp://${place}`,
    `gopher://${place}`,
    `cache_object://${place}`,
    'file:///etc/passwd',
    'javascript:alert(1)',
    'urn:isbn:0',
    'data:text/html,x',
    `view-source:http://${place}`,
  ])
    t.match(await world.raw(`GET ${url} HTTP/1.1\r\n${tail}`), /^HTTP\/1\.1 400 /, url)
  t.equal(origin.requests.length, 0)
})

t.test('after each of them the next request is served', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  for (const bytes of ['\0', '\x05\x01\x00', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '\x16\x03\x01']) {
    const socket = await world.open()
    socket.end(Buffer.from(bytes, 'latin1'))
    await readUntil(socket)
    t.match(
      await world.raw(`GET http://free.test:${origin.port}/ HTTP/1.1\r\n${tail}`),
      /^HTTP\/1\.1 200 /,
      JSON.stringify(bytes),
    )
  }
})
