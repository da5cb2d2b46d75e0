/** How a target in absolute form becomes what the origin reads (RFC 9112 §3.2), and how far it may go (RFC 9110 §7.6.2). */
import t from 'tap'
import { openDns } from '../support/dns-server.ts'
import { openProxyWorld } from '../support/proxy-world.ts'
import { openRecordingOrigin, sendAll } from '../support/recording-origin.ts'

const origin = await openRecordingOrigin(t)
const world = await openProxyWorld(t)
const at = `free.test:${origin.port}`
const ask = (method: string, url: string, fields = '', body = ''): Promise<string> =>
  sendAll(
    world,
    `${method} ${url} HTTP/1.1\r\nHost: games.test\r\nConnection: close\r\n${fields}\r\n${body}`,
  )

t.test('the path and the query reach the origin byte for byte', async t => {
  const paths = [
    '/',
    '/a%2Fb//c/../d%00',
    '//two//slashes//',
    '/./a/./../..',
    '/?',
    '/a?',
    '/a??',
    '/a?b?c=%3F&d=/../',
    '/a?b=http://games.test/',
    '/%zz%',
    '/a;b=c,d:e@f!$&\'()*+~|^`{}"<>\\',
  ]
  for (const path of paths) {
    // Once on a new connection to the origin, once on a kept one.
    for (let i = 0; i < 2; i++) {
      origin.clear()
      t.match(await ask('GET', `http://${at}${path}`), /^HTTP\/1\.1 200 /, path)
      t.match(origin.requests, [{ method: 'GET', url: path }])
      t.strictSame(origin.faults, [])
    }
  }
})

t.test(
  'bytes beyond ASCII reach the origin as they came (mitmproxy#724, nodejs/llhttp#259)',
  async t => {
    for (const path of ['/caf\xe9', '/?\xc3\xa9=\xff', '/\xe9/'.repeat(50)]) {
      origin.clear()
      for (const method of ['GET', 'HEAD', 'OPTIONS'])
        t.match(await ask(method, `http://${at}${path}`), /^HTTP\/1\.1 200 /, path.slice(0, 20))
      const fields = 'X-Raw: caf\xe9 \xc3\xa9\r\nContent-Length: 2\r\n'
      t.match(await ask('POST', `http://${at}${path}`, fields, 'ok'), /^HTTP\/1\.1 200 /)
      const sent = new Map(origin.requests.at(-1)?.fields)
      t.equal(sent.get('x-raw'), 'caf\xe9 \xc3\xa9', 'and so do fields')
      const chunks = 'Transfer-Encoding: chunked\r\n'
      t.match(await ask('PUT', `http://${at}${path}`, chunks, '2\r\nok\r\n0\r\n\r\n'), / 200 /)
      t.strictSame(
        origin.requests.map(({ url }) => url),
        Array.from({ length: 5 }, () => path),
      )
      t.strictSame(origin.faults, [])
    }
  },
)

t.test('no host is named with such bytes', async t => {
  origin.clear()
  for (const url of [`http://\xe9.test:${origin.port}/`, `http://free.test\xa0:${origin.port}/`])
    t.match(await ask('GET', url), /^HTTP\/1\.1 400 /)
  t.strictSame(origin.requests, [])
})

t.test('a fragment stays with the client', async t => {
  origin.clear()
  for (const path of ['/p#top', '/p#', '/p#\xe9/?x'])
    t.match(await ask('GET', `http://${at}${path}`), /^HTTP\/1\.1 200 /)
  t.strictSame(
    origin.requests.map(({ url }) => url),
    ['/p', '/p', '/p'],
  )
})

t.test('an empty path is « / », and « * » where OPTIONS asks about the whole origin', async t => {
  for (const [method, url, expected] of [
    ['GET', `http://${at}`, '/'],
    ['GET', `http://${at}?q=1`, '/?q=1'],
    ['GET', `HTTP://FREE.test.:${origin.port}`, '/'],
    ['OPTIONS', `http://${at}`, '*'],
    ['OPTIONS', `HTTP://${at}`, '*'],
    ['OPTIONS', `http://${at}/`, '/'],
    ['OPTIONS', `http://${at}?q`, '/?q'],
  ] as const) {
    origin.clear()
    t.match(await ask(method, url), /^HTTP\/1\.1 200 /, url)
    t.match(origin.requests, [{ method, url: expected }], `${method} ${url}`)
    t.strictSame(
      origin.requests[0]?.fields.filter(([name]) => name === 'host' || name === 'via'),
      [
        ['host', at],
        ['via', '1.1 preau'],
      ],
    )
  }
})

t.test('an unknown method passes like any other', async t => {
  origin.clear()
  t.match(await ask('PROPFIND', `http://${at}/`), /^HTTP\/1\.1 200 /)
  t.match(origin.requests, [{ method: 'PROPFIND' }])
})

t.test('OPTIONS goes as far as Max-Forwards says', async t => {
  origin.clear()
  const secrets = 'Cookie: secret=1\r\nAuthorization: Basic c2VjcmV0\r\n'
  const last = await ask('OPTIONS', `http://${at}/`, `Max-Forwards: 0\r\n${secrets}`)
  t.match(last, /^HTTP\/1\.1 204 [^]*\r\nAllow: .*GET/, 'we are the last to get it, and answer')
  t.notMatch(last, /secret|c2VjcmV0/)
  t.strictSame(origin.requests, [])
  for (const [sent, arrives] of [
    ['3', '2'],
    ['1', '0'],
    ['99999999999999999999', '255'],
  ] as const) {
    origin.clear()
    await ask('OPTIONS', `http://${at}/`, `Max-Forwards: ${sent}\r\n`)
    t.equal(new Map(origin.requests[0]?.fields).get('max-forwards'), arrives)
  }
  for (const odd of ['', '-1', '1.5', 'x', '0x1'])
    t.match(
      await ask('OPTIONS', `http://${at}/`, `Max-Forwards: ${odd}\r\n`),
      /^HTTP\/1\.1 400 /,
      odd,
    )
})

t.test('Max-Forwards is the origin’s own matter in other methods', async t => {
  origin.clear()
  t.match(await ask('GET', `http://${at}/`, 'Max-Forwards: 0\r\n'), /^HTTP\/1\.1 200 /)
  t.equal(new Map(origin.requests[0]?.fields).get('max-forwards'), '0')
})

t.test('TRACE is refused, however far it may go, and echoes nothing', async t => {
  origin.clear()
  for (const forwards of ['', 'Max-Forwards: 0\r\n', 'Max-Forwards: 3\r\n']) {
    const answer = await ask('TRACE', `http://${at}/`, `Cookie: secret=1\r\n${forwards}`)
    t.match(answer, /^HTTP\/1\.1 400 /)
    t.notMatch(answer, /secret/)
  }
  t.strictSame(origin.requests, [])
})

t.test('OPTIONS for a refused site is the page of that site, not an answer of ours', async t => {
  const answer = await ask('OPTIONS', `http://games.test:${origin.port}/`, 'Max-Forwards: 0\r\n')
  t.match(answer, /^HTTP\/1\.1 403 [^]*refused page/)
})

t.test('a host with a hyphen at an end of a label is looked up and reached', async t => {
  const name = 'photos-.-odd-.web.example'
  const dns = await openDns(t, { [name]: ['127.0.0.1'] })
  const outer = await openProxyWorld(t, {
    names: false,
    dnsServers: [dns.server],
    dialAllow: ['127.0.0.0/8'],
  })
  origin.clear()
  const place = `${name}:${origin.port}`
  const answer = await outer.raw(
    `GET http://${place}/ HTTP/1.1\r\nHost: ${place}\r\nConnection: close\r\n\r\n`,
  )
  t.match(answer, /^HTTP\/1\.1 200 /)
  t.match(origin.requests, [{ url: '/' }])
  t.match(outer.log, [{ host: name, verdict: 'allow', status: 200 }])
})
