import t from 'tap'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { array, assert, asyncProperty, constantFrom } from 'fast-check'
import { readConnectHead } from '../../src/proxy/connect-head.ts'

const BOUNDS = { maxBytes: 1_000, maxFields: 5 }
const read = (text: string) => readConnectHead(Buffer.from(text, 'latin1'), BOUNDS)

t.test('what browsers and tools send is read, and what follows is left for the tunnel', async t => {
  const heads = {
    curl: 'CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nUser-Agent: curl/8\r\nProxy-Connection: Keep-Alive\r\n\r\n',
    firefox:
      'CONNECT a.test:443 HTTP/1.1\r\nUser-Agent: Mozilla/5.0\r\nProxy-Connection: keep-alive\r\nConnection: keep-alive\r\nHost: a.test:443\r\n\r\n',
    short: 'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nhost:x\r\n\r\n',
  }
  for (const [name, head] of Object.entries(heads)) {
    const authority = head.split(' ')[1]
    t.strictSame(read(head), { authority, length: head.length }, name)
    t.strictSame(read(`${head}\x16\x03\x01`), { authority, length: head.length }, name)
  }
})

t.test('what is not whole or not plain is left to the strict parser', async t => {
  const line = 'CONNECT a.test:443 HTTP/1.1\r\n'
  const others = [
    '',
    'CONNECT',
    `${line}Host: a\r\n`,
    `${line}\r\n`,
    `${line}Host:\r\n\r\n`,
    `${line}Host: a b\r\n\r\n`,
    `${line}Host: http://a.test\r\n\r\n`,
    `${line}Host: a:b\r\n\r\n`,
    `${line}Host: u@a\r\n\r\n`,
    `${line}Host: a\r\nHost: b\r\n\r\n`,
    `${line}Host: a\r\nhOST: b\r\n\r\n`,
    `${line}Host : a\r\n\r\n`,
    `${line}Host: a\n\n`,
    `${line}Host: a\r\n X: b\r\n\r\n`,
    `${line}Host: a\r\nX: \0\r\n\r\n`,
    `${line}Host: a\r\nX: a\rb\r\n\r\n`,
    `${line}Host: a\r\nNoColon\r\n\r\n`,
    `${line}Host: a\r\nContent-Length: 5\r\n\r\n`,
    `${line}Host: a\r\nTransfer-Encoding: chunked\r\n\r\n`,
    `${line}Host: a\r\nUpgrade: websocket\r\n\r\n`,
    `${line}Host: a\r\nExpect: 100-continue\r\n\r\n`,
    'connect a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT  a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'CONNECT a.test:443 HTTP/1.0\r\nHost: a\r\n\r\n',
    'CONNECT a.test:443 x HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\nCONNECT a.test:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET http://a.test/ HTTP/1.1\r\nHost: a\r\n\r\n',
    `${line}Host: a\r\nX: ${'x'.repeat(1_000)}\r\n\r\n`,
    `${line}Host: a\r\n${'X: y\r\n'.repeat(5)}\r\n`,
  ]
  for (const text of others) t.equal(read(text), undefined, JSON.stringify(text.slice(0, 60)))
})

t.test('whatever it takes, Node’s strict parser takes too, and reads the same', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const asNode = async (bytes: Buffer): Promise<string | undefined> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end(bytes)
    const taken = new Promise<string | undefined>(resolve => {
      server.once('connect', (request: IncomingMessage, raw) => {
        raw.destroy()
        resolve(request.url)
      })
      server.once('clientError', (_error, raw) => {
        raw.destroy()
        resolve(undefined)
      })
      socket.once('close', () => resolve(undefined))
    })
    const url = await taken
    server.removeAllListeners('connect').removeAllListeners('clientError')
    socket.destroy()
    return url
  }
  const pieces =
    'CONNECT |a.test:443| HTTP/1.1|\r\n|Host: a\r\n|X|:| |\t|\n|\r|\0|é|"|(|Host:|\r\n\r\n|y: z\r\n|,'
  const piece = constantFrom(...pieces.split('|'), 'Connection: close\r\n')
  const start = 'CONNECT a.test:443 HTTP/1.1\r\nHost: a\r\n'
  let taken = 0
  await assert(
    asyncProperty(array(piece, { maxLength: 8 }), async some => {
      const bytes = Buffer.from(`${start}${some.join('')}\r\n`, 'latin1')
      const found = readConnectHead(bytes, { maxBytes: 0, maxFields: 0 })
      if (found === undefined) return true
      taken++
      return (await asNode(bytes.subarray(0, found.length))) === found.authority
    }),
    { numRuns: 2_000 },
  )
  t.ok(taken > 50, `${taken} heads were compared`)
})
