/** What browsers and squid read of origins that keep no rule is read here too; what has two readings is refused. */
import t from 'tap'
import { once } from 'node:events'
import { ODD_ANSWERS, readOutcome } from '../support/odd-answers.ts'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'
import { openRawOrigin } from '../support/raw-origin.ts'

const world = await openProxyWorld(t)
const get = (port: number, fields = 'Connection: close\r\n'): string =>
  `GET http://free.test:${port}/ HTTP/1.1\r\nHost: free.test\r\n${fields}\r\n`

for (const isDripping of [false, true]) {
  const how = isDripping ? 'byte by byte' : 'in one piece'
  t.test(`each of the odd answers, said ${how}`, async t => {
    for (const [name, { says, gives }] of Object.entries(ODD_ANSWERS)) {
      if (isDripping && says.length > 1_000) continue
      const port = await openRawOrigin(t, socket => {
        socket.setNoDelay(true)
        socket.once('data', async () => {
          if (isDripping)
            for (const byte of says) {
              socket.write(byte, 'latin1')
              await new Promise(setImmediate)
            }
          socket.end(isDripping ? '' : says, 'latin1')
        })
      })
      const socket = await world.open()
      const closed = once(socket, 'close') as Promise<[boolean]>
      socket.write(get(port))
      const text = await readUntil(socket)
      socket.end()
      const [isBroken] = await closed
      t.equal(readOutcome(text, !isBroken), gives, `${name}: ${JSON.stringify(text.slice(0, 90))}`)
    }
  })
}

t.test('what is mended stands in the head that the client gets, as it was meant', async t => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n'
  const rows: [says: string, expected: RegExp][] = [
    [`${head}X-Frame-Options : DENY\r\n\r\nok`, /\r\nX-Frame-Options: DENY\r\n/],
    [`${head}Set-Cookie: a=1\x01; Path=/\r\n\r\nok`, /\r\nSet-Cookie: a=1 ; Path=\/\r\n/],
    [`${head}X: a\r\n  b\r\n\tc\r\n\r\nok`, /\r\nX: a b c\r\n/],
    [`${head}Content-Length: 2\r\n\r\nok`, /^(?![^]*Content-Length[^]*Content-Length)/],
    // The last byte of « à » is a blank of Latin-1.
    [`${head}X: d\xc3\xa9j\xc3\xa0\n\r\nok`, /\r\nX: déjà\r\n/],
    [
      `ICY 200 OK\r\nicy-name: Radio\r\n\r\nok`,
      /^HTTP\/1\.1 200 OK\r\n[^]*\r\nVia: 1\.0 preau\r\n/,
    ],
    [
      `${head}X: 1\r\nX: 2\nSet-Cookie: a\nSet-Cookie: b\r\n\r\nok`,
      /X: 1\r\nX: 2\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n/,
    ],
  ]
  for (const [says, expected] of rows) {
    const port = await openRawOrigin(t, socket =>
      socket.once('data', () => socket.end(says, 'latin1')),
    )
    const socket = await world.open()
    socket.write(get(port))
    const text = await readUntil(socket)
    t.match(text, /^HTTP\/1\.1 200 [^]*ok/, JSON.stringify(says))
    t.match(text, expected, JSON.stringify(says))
  }
})

t.test('a connection whose heads were mended is kept, and each of its heads is', async t => {
  let opened = 0
  const port = await openRawOrigin(t, socket => {
    opened++
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\nX : 1\nContent-Length: 2\n\nok'))
  })
  for (let i = 0; i < 3; i++) t.match(await world.raw(get(port)), /\r\nX: 1\r\n[^]*\r\n\r\nok$/)
  t.equal(opened, 1)
})

t.test('a body may say what it likes, whatever its head was', async t => {
  const body = 'HTTP/1.1 500 no\nX : 1\r\n\r\n\0\x01\xff'.repeat(10_000)
  const port = await openRawOrigin(t, socket =>
    socket.once('data', () =>
      socket.end(`HTTP/1.1 200 OK\nContent-Length: ${body.length}\n\n${body}`, 'latin1'),
    ),
  )
  const socket = await world.open()
  socket.write(get(port))
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await once(socket, 'end')
  t.ok(Buffer.concat(chunks).toString('latin1').endsWith(`\r\n\r\n${body}`))
})

t.test('every field of an answer reaches the client', async t => {
  const origin = await openOrigin(t, (_request, response) => {
    response.writeHead(200, Array.from({ length: 2_500 }, (_, i) => [`X-${i}`, '1']).flat())
    response.end('ok')
  })
  const text = await world.raw(get(origin.port))
  t.equal(text.match(/\r\nX-\d+: 1/g)?.length, 2_500)
})

t.test('the head of an answer is as large as the configuration says, and no larger', async t => {
  const port = await openRawOrigin(t, socket =>
    socket.on('data', data => {
      const size = Number(/\/(\d+) /.exec(String(data))?.[1])
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ${'x'.repeat(size)}\r\n\r\nok`)
    }),
  )
  const small = await openProxyWorld(t, { limits: { maxAnswerHeaderBytes: 1_000 } })
  const ask = (size: number): Promise<string> =>
    small.raw(get(port).replace('/ HTTP', `/${size} HTTP`))
  t.match(await ask(800), /^HTTP\/1\.1 200 /)
  t.match(await ask(1_100), /^HTTP\/1\.1 502 /)
  t.match(await ask(70_000), /^HTTP\/1\.1 502 /)
  await eventually(() => small.log.length === 3)
  t.equal(small.log.filter(({ reason }) => reason === 'PREAU_BAD_ANSWER').length, 2)
  t.strictSame(small.limited, ['maxAnswerHeaderBytes', 'maxAnswerHeaderBytes'])
  const unbounded = await openProxyWorld(t, { limits: { maxAnswerHeaderBytes: 0 } })
  const large = await unbounded.raw(get(port).replace('/ HTTP', '/300000 HTTP'))
  t.match(large.slice(0, 15), 'HTTP/1.1 200 OK')
})
