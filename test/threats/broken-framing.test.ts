/** A length or a chunk that two readers could read differently never leaves the proxy (RFC 9112 §6 and §7, http-garden). */
import t from 'tap'
import { openProxyWorld } from '../support/proxy-world.ts'
import { assertClean, openRecordingOrigin, sendAll } from '../support/recording-origin.ts'

const HIDDEN = 'GET http://games.test/hidden HTTP/1.1\r\nHost: games.test\r\n\r\n'
const REFUSED = /^HTTP\/1\.1 4\d\d /
const CHUNKED = 'Transfer-Encoding: chunked'
const HELLO = '5\r\nhello\r\n0\r\n\r\n'

const origin = await openRecordingOrigin(t)
const world = await openProxyWorld(t)
const post = (
  fields: string,
  body: string,
  line = `POST http://free.test:${origin.port}/`,
): string => `${line} HTTP/1.1\r\nHost: free.test\r\nConnection: close\r\n${fields}\r\n\r\n${body}`

t.test('two framings, or a length that is no number, are refused', async t => {
  const lengths = ['5\r\nContent-Length: 6', '5, 6', '+5', '0x5', '5_0', '-1', '1 2', '']
  const framings = [
    `Content-Length: 5\r\n${CHUNKED}`,
    `${CHUNKED}\r\nContent-Length: 5`,
    ...lengths.map(value => `Content-Length: ${value}`),
    'Content-Length: 18446744073709551621',
    // Beyond what a signed number of 64 bits holds: found by `npm run fuzz -- --target proxy`.
    'Content-Length: 10446744073709551621',
    'Content-Length : 5',
  ]
  for (const fields of framings)
    await assertClean(t, world, origin, {
      name: JSON.stringify(fields),
      bytes: post(fields, `${HELLO}${HIDDEN}`),
      status: REFUSED,
    })
})

t.test('a transfer coding is `chunked`, once and alone, or refused', async t => {
  const codings = [
    'xchunked',
    'chunked, identity',
    'gzip, chunked',
    ',chunked',
    'chunked,',
    '\x0bchunked',
    'chunked\r\nTransfer-Encoding: chunked',
    '\r\n chunked',
    '"chunked"',
    'chunked;q=1',
  ]
  for (const coding of codings)
    await assertClean(t, world, origin, {
      name: JSON.stringify(coding),
      bytes: post(`Transfer-Encoding: ${coding}`, `${HELLO}${HIDDEN}`),
      status: REFUSED,
    })
  await assertClean(t, world, origin, {
    name: 'white space before the colon',
    bytes: post('Transfer-Encoding : chunked', `${HELLO}${HIDDEN}`),
    status: REFUSED,
  })
  await assertClean(t, world, origin, {
    name: 'HTTP/1.0 has no transfer codings',
    bytes: post(CHUNKED, `${HELLO}${HIDDEN}`).replace(' HTTP/1.1', ' HTTP/1.0'),
    status: REFUSED,
  })
})

t.test('`Chunked` in any case is chunked, and the body arrives as one', async t => {
  origin.clear()
  t.match(await sendAll(world, post('Transfer-Encoding: Chunked', HELLO)), /^HTTP\/1\.1 200 /)
  t.match(origin.requests, [{ body: 'hello' }])
  t.strictSame(origin.faults, [])
})

t.test('a chunk size that is no plain hexadecimal number goes nowhere', async t => {
  const sizes = [
    '0x5',
    '+5',
    '-5',
    '5_0',
    ' 5',
    '',
    '10000000000000005',
    '5 ',
    '5 ;x',
    '5;\0',
    '5\t',
  ]
  for (const size of sizes)
    await assertClean(t, world, origin, {
      name: `size ${JSON.stringify(size)}`,
      bytes: post(CHUNKED, `${size}\r\nhello\r\n0\r\n\r\n${HIDDEN}`),
    })
})

t.test('a stray CR, LF or NUL in a chunk line goes nowhere (CVE-2023-46846)', async t => {
  const lines = [
    '5;a\rb\r\n',
    '5;a\nb\r\n',
    '5;a\0b\r\n',
    '5\n',
    '5\r',
    '5\rX\n',
    '5\n\r\n',
    '5;a="\r\n"\r\n',
  ]
  for (const line of lines)
    await assertClean(t, world, origin, {
      name: `line ${JSON.stringify(line)}`,
      bytes: post(CHUNKED, `${line}hello\r\n0\r\n\r\n${HIDDEN}`),
    })
})

t.test('a chunk that is not as long as it says, or ends otherwise, goes nowhere', async t => {
  const bodies = {
    'longer than its size': `3\r\nhello\r\n0\r\n\r\n${HIDDEN}`,
    'ended by two other bytes': `5\r\nhelloXX0\r\n\r\n${HIDDEN}`,
    'ended by LF only': `5\r\nhello\n0\r\n\r\n${HIDDEN}`,
    'ended by CR only': `5\r\nhello\r0\r\n\r\n${HIDDEN}`,
    'last chunk without an end': `5\r\nhello\r\n0\r\n${HIDDEN}`,
    'last chunk ended by LF': `5\r\nhello\r\n0\n\n${HIDDEN}`,
    'last chunk of many zeros': `5\r\nhello\r\n0000\r\n\r\n${HIDDEN}`,
  }
  for (const [name, body] of Object.entries(bodies))
    await assertClean(t, world, origin, { name, bytes: post(CHUNKED, body) })
})

t.test('a body of GET, HEAD, DELETE or OPTIONS that holds a request stays a body', async t => {
  for (const method of ['GET', 'DELETE', 'OPTIONS'])
    for (const isChunked of [false, true]) {
      const name = `${method} ${isChunked ? 'chunked' : 'with a length'}`
      const fields = isChunked ? CHUNKED : `Content-Length: ${HIDDEN.length}`
      const body = isChunked ? `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n` : HIDDEN
      const bytes = post(fields, body, `${method} http://free.test:${origin.port}/`)
      await assertClean(t, world, origin, { name, bytes, status: /^HTTP\/1\.1 200 / })
      t.match(
        origin.requests.find(({ url }) => url === '/'),
        { method, body: HIDDEN },
        name,
      )
    }
})
