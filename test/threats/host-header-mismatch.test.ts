/** The target decides, never the `Host` field; what says two things is refused (RFC 9112 §3.2). */
import t from 'tap'
import { eventually, openOrigin, openProxyWorld } from '../support/proxy-world.ts'

const close = 'Connection: close\r\n'

t.test('an innocent Host field does not open a blocked target', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  for (const extra of [
    '',
    'X-Forwarded-Host: free.test\r\n',
    'X-Original-URL: http://free.test/\r\n',
    'Forwarded: host=free.test\r\n',
    'X-HTTP-Method-Override: CONNECT\r\n',
    'X-Rewrite-URL: http://free.test/\r\n',
  ]) {
    t.match(
      await world.raw(
        `GET http://games.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\n${extra}${close}\r\n`,
      ),
      /^HTTP\/1\.1 403/,
    )
  }
  t.match(
    await world.raw(
      `CONNECT games.test:${origin.port} HTTP/1.1\r\nHost: free.test:443\r\n\r\n`,
      '\r\n\r\n',
    ),
    /^HTTP\/1\.1 200/,
  )
  t.equal(origin.requests.length, 0, 'its tunnel is ours, not the origin’s')
})

t.test('a PC is known by its connection, whatever it says of its address', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  // The teachers’ room, where shops need no warning.
  const teacher = '10.1.9.1'
  for (const extra of [
    `X-Forwarded-For: ${teacher}\r\n`,
    `Forwarded: for=${teacher}\r\n`,
    `X-Real-IP: ${teacher}\r\nTrue-Client-IP: ${teacher}\r\nClient-IP: ${teacher}\r\n`,
  ]) {
    const request = `GET http://shop.test:${origin.port}/ HTTP/1.1\r\nHost: a\r\n${extra}${close}\r\n`
    t.match(await world.raw(request), /^HTTP\/1\.1 403/, extra)
  }
  t.equal(origin.requests.length, 0)
  t.equal(world.log.length, 3)
  for (const entry of world.log) t.match(entry, { ip: '127.0.0.1', profile: 'pupils' })
})

t.test('the origin is told the target, not what the client wrote', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  await world.raw(
    `GET http://free.test:${origin.port}/ HTTP/1.1\r\nHost: games.test\r\n${close}\r\n`,
  )
  t.equal(origin.requests[0]?.headers.host, `free.test:${origin.port}`)
})

t.test('two Host fields, or none, are refused', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const head = `GET http://free.test:${origin.port}/ HTTP/1.1\r\n`
  t.match(
    await world.raw(`${head}Host: free.test\r\nHost: free.test\r\n${close}\r\n`),
    /^HTTP\/1\.1 400/,
  )
  t.match(await world.raw(`${head}${close}\r\n`), /^HTTP\/1\.1 400/)
  t.equal(origin.requests.length, 0)
})

t.test(
  'a Host field that is none is refused, and none at all where real clients send one',
  async t => {
    const origin = await openOrigin(t)
    const world = await openProxyWorld(t)
    const place = `free.test:${origin.port}`
    const websocket = 'Connection: Upgrade\r\nUpgrade: websocket\r\n'
    const requests: [string, string][] = [
      [`GET http://${place}/ HTTP/1.1\r\n`, close],
      [`GET http://${place}/ HTTP/1.0\r\n`, ''],
      [`GET http://${place}/ HTTP/1.1\r\n`, websocket],
      [`CONNECT ${place} HTTP/1.1\r\n`, ''],
      [`CONNECT ${place} HTTP/1.0\r\n`, ''],
    ]
    const malformed = [
      '',
      ' ',
      'a b',
      'u@a',
      'a/',
      'http://a',
      'a:b',
      'a:80:80',
      '[::1',
      'é',
      '"a"',
    ]
    for (const [line, fields] of requests)
      for (const host of malformed)
        t.match(
          await world.raw(`${line}Host: ${host}\r\n${fields}\r\n`, '\r\n\r\n'),
          /^HTTP\/1\.1 400/,
          `${line.trim()} ${host}`,
        )
    t.equal(origin.requests.length, 0)
    for (const line of [
      `GET http://${place}/ HTTP/1.1\r\n${websocket}`,
      `LOCK http://${place}/ HTTP/1.1\r\n`,
    ])
      t.match(await world.raw(`${line}\r\n`), /^HTTP\/1\.1 400/, 'none')
    await eventually(() => world.log.length === 5 * 11 + 2)
    t.ok(world.log.every(({ reason, status }) => reason === 'PREAU_BAD_REQUEST' && status === 400))
    // http.client of Python, proxychains, corkscrew and socat; libfetch, mitmproxy and old HTTP.jl with HTTP/1.1.
    for (const line of [
      `CONNECT ${place} HTTP/1.0\r\n`,
      `CONNECT ${place} HTTP/1.1\r\n`,
      `CONNECT ${place} HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\n`,
      `CONNECT ${place} HTTP/1.1\r\nHost: [2001:db8::1]\r\n`,
      `CONNECT ${place} HTTP/1.1\r\nHost: A_b-.test.:\r\n`,
      `GET http://${place}/ HTTP/1.0\r\n`,
    ])
      t.match(await world.raw(`${line}\r\n`, '\r\n\r\n'), /^HTTP\/1\.1 200/, line)
  },
)

t.test('a request in origin form is never forwarded by its Host', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  for (const target of [
    '/',
    '*',
    `//free.test:${origin.port}/`,
    `free.test:${origin.port}`,
    `https://free.test:${origin.port}/`,
    `ftp://free.test:${origin.port}/`,
  ]) {
    t.match(
      await world.raw(
        `OPTIONS ${target} HTTP/1.1\r\nHost: free.test:${origin.port}\r\n${close}\r\n`,
      ),
      /^HTTP\/1\.1 400/,
      target,
    )
  }
  t.equal(origin.requests.length, 0)
})

t.test('TRACE is refused, since it would echo what it carries', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const answer = await world.raw(
    `TRACE http://free.test:${origin.port}/ HTTP/1.1\r\nHost: free.test\r\nCookie: secret=1\r\n${close}\r\n`,
  )
  t.match(answer, /^HTTP\/1\.1 400/)
  t.notMatch(answer, /secret/)
})
