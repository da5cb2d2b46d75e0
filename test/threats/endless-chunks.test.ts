/** Bodies made to cost more than they carry: chunk extensions without end, chunks of one byte (CVE-2024-22019, -25111). */
import t from 'tap'
import { createHash } from 'node:crypto'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRecordingOrigin, sendAll } from '../support/recording-origin.ts'

const head = (port: number): string =>
  `POST http://free.test:${port}/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`

t.test('an extension of a chunk that does not end is refused', async t => {
  const origin = await openOrigin(t)
  const world = await openProxyWorld(t)
  const socket = await world.open()
  socket.write(`${head(origin.port)}5;`)
  const answer = readUntil(socket)
  socket.write('x'.repeat(256 * 1024))
  t.match(await answer, /^HTTP\/1\.1 400 /)
  t.equal(origin.requests[0]?.body ?? '', '')
})

t.test('extensions are for one hop: none reaches the origin', async t => {
  const origin = await openRecordingOrigin(t)
  const world = await openProxyWorld(t)
  const extended = `1;${'x'.repeat(9_000)}="y"\r\na\r\n`.repeat(4)
  t.match(await sendAll(world, `${head(origin.port)}${extended}0;end\r\n\r\n`), /^HTTP\/1\.1 200 /)
  t.strictSame(origin.faults, [])
  t.match(origin.requests, [{ body: 'aaaa' }])
})

t.test(
  'a hundred thousand chunks of one byte arrive whole, and others are served meanwhile',
  async t => {
    const COUNT = 100_000
    const body = Buffer.alloc(COUNT, 'abcdefg')
    const origin = await openOrigin(t)
    const world = await openProxyWorld(t)
    const before = process.memoryUsage().rss
    const socket = await world.open()
    socket.write(head(origin.port))
    let chunks = ''
    for (const byte of body) chunks += `1\r\n${String.fromCharCode(byte)}\r\n`
    socket.write(`${chunks}0\r\n\r\n`)
    const other = await world.raw(
      `GET http://free.test:${origin.port}/other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    t.match(other, /^HTTP\/1\.1 200 /)
    t.match(await readUntil(socket, 'hello /'), /^HTTP\/1\.1 200 /)
    const sha = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
    const arrived = origin.requests.find(({ method }) => method === 'POST')?.body ?? ''
    t.equal(sha(arrived), sha(body))
    t.ok(process.memoryUsage().rss - before < 200e6, 'bounded memory')
    await eventually(() => world.proxy.openExchanges === 0)
    t.equal(world.proxy.openExchanges, 0)
  },
)
