/** Answers without a body (RFC 9110 §6.4.1): their head says what it may, and the next answer begins where they end. */
import t from 'tap'
import { openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
const world = await openProxyWorld(t)

/** Asks for `method` and then GET on one connection; answers the head of the first, once the second has come after it. */
async function headOf(method: string, answer: string, version = '1.1'): Promise<string> {
  let asked = 0
  const port = await openRawOrigin(t, socket =>
    socket.on('data', () => socket.write(asked++ === 0 ? answer : OK)),
  )
  const socket = await world.open()
  const ask = (word: string): string =>
    `${word} http://free.test:${port}/ HTTP/${version}\r\nHost: a\r\n\r\n`
  socket.write(ask(method))
  const first = await readUntil(socket, '\r\n\r\n')
  socket.write(ask('GET'))
  const second = await readUntil(socket, '\r\n\r\nok')
  t.match(second, /^HTTP\/1\.1 200 OK\r\n/, `${method}: nothing stands between the two answers`)
  return first
}

t.test('HEAD tells the length, or that there will be chunks, and nothing follows', async t => {
  t.match(
    await headOf('HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX: 1\r\n\r\n'),
    /^HTTP\/1\.1 200 OK\r\nContent-Length: 1234\r\nX: 1\r\n[^]*\r\n\r\n$/,
  )
  const open = await headOf('HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  t.match(open, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/)
  t.notMatch(open, /content-length: 0/i, 'an unknown length is not none')
})

t.test('304 keeps the length of what the client has', async t => {
  const head = await headOf(
    'GET',
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: "a"\r\n\r\n',
  )
  t.match(
    head,
    /^HTTP\/1\.1 304 Not Modified\r\nContent-Length: 1234\r\nETag: "a"\r\n[^]*\r\n\r\n$/,
  )
  t.notMatch(head, /transfer-encoding/i)
  t.notMatch(
    await headOf('GET', 'HTTP/1.1 304 Not Modified\r\n\r\n'),
    /content-length|transfer-enc/i,
  )
})

t.test('204 says no length, whatever the origin says', async t => {
  for (const length of ['', 'Content-Length: 0\r\n'])
    t.notMatch(
      await headOf('GET', `HTTP/1.1 204 No Content\r\n${length}\r\n`),
      /content-length|transfer-encoding/i,
    )
})

t.test('an empty body has a length of nothing', async t => {
  t.match(
    await headOf('GET', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    /\r\nContent-Length: 0\r\n/,
  )
  t.match(
    await headOf('POST', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'),
    /^HTTP\/1\.1 404 /,
  )
})
