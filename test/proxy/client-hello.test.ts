import t from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { connect, type ConnectionOptions } from 'node:tls'
import { array, assert, nat, property, tuple, uint8Array } from 'fast-check'
import { readClientHello, type Hello } from '../../src/proxy/client-hello.ts'
import { hello, inRecords, serverName, type Extension } from '../support/hello.ts'

/** What Node's TLS really says first. */
async function recorded(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', ...options })
  client.on('error', () => undefined)
  const [socket] = await once(server, 'connection')
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

const nameOf = (found: Hello): string | undefined =>
  found.kind === 'hello' ? found.name : `(${found.kind})`

t.test('the name in a real ClientHello is found', async t => {
  const modern = await recorded({ servername: 'www.Free.TEST' })
  t.equal(nameOf(readClientHello(modern)), 'www.free.test')
  const old = await recorded({ servername: 'free.test', maxVersion: 'TLSv1.2' })
  t.equal(nameOf(readClientHello(old)), 'free.test')
  const nameless = await recorded({})
  t.match(readClientHello(nameless), { kind: 'hello', name: undefined, length: nameless.length })
})

t.test('a ClientHello is waited for until it is whole, wherever it is cut', async t => {
  const whole = await recorded({ servername: 'free.test' })
  for (const bytes of [
    whole,
    inRecords(whole, 40),
    inRecords(whole, 100),
    inRecords(whole, 1_000),
  ]) {
    for (let end = 0; end < bytes.length; end++) {
      const found = readClientHello(bytes.subarray(0, end))
      // What stands behind the name may still be missing: nothing is told before the end.
      if (found.kind !== 'more') t.fail(`${end} of ${bytes.length}: ${found.kind}`)
    }
    t.equal(nameOf(readClientHello(bytes)), 'free.test')
  }
})

// Found by `npm run fuzz -- --target hello`: behind a hello of several records, anything else made it malformed.
t.test('what follows a ClientHello does not change how it is read', async t => {
  const whole = hello({ extensions: [serverName('free.test')] })
  const alert = Buffer.from([21, 3, 1, 0, 2, 1, 0])
  for (const bytes of [whole, inRecords(whole, 40)]) {
    for (const after of [alert, Buffer.from([0]), whole])
      t.equal(nameOf(readClientHello(Buffer.concat([bytes, after]))), 'free.test')
  }
})

t.test('one that is cut into crumbs is refused', async t => {
  const crumbs = inRecords(hello({ extensions: [serverName('free.test')] }), 1)
  t.equal(readClientHello(crumbs).kind, 'malformed')
})

t.test('large ones pass, as post-quantum keys and padding make them', async t => {
  for (const size of [2_000, 4_000, 15_000]) {
    const bytes = hello({ extensions: [serverName('free.test'), [21, Buffer.alloc(size)]] })
    t.equal(nameOf(readClientHello(bytes)), 'free.test', `${size}`)
  }
})

t.test('GREASE and an encrypted ClientHello pass, with the outer name', async t => {
  const bytes = hello({
    extensions: [[0x0a0a, Buffer.alloc(0)], serverName('outer.test'), [0xfe0d, Buffer.alloc(200)]],
  })
  t.match(readClientHello(bytes), { kind: 'hello', name: 'outer.test', encrypted: true })
})

t.test('what is no TLS is told at once', async t => {
  for (const text of ['GET / HTTP/1.1\r\n\r\n', 'SSH-2.0-x\r\n', '\x05\x01\x00', '\x80\x2e\x01'])
    t.equal(readClientHello(Buffer.from(text, 'latin1')).kind, 'not-tls', JSON.stringify(text))
})

// Found by `npm run fuzz -- --target tunnel`: where a tunnel may carry anything, such a hello passed unread.
t.test('a handshake of another record version is TLS all the same, for some origins', async t => {
  const bytes = hello({ extensions: [serverName('games.test')] })
  for (const version of [0, 2, 4, 254]) {
    bytes[1] = version
    t.equal(readClientHello(bytes).kind, 'malformed')
    t.equal(readClientHello(bytes.subarray(0, 2)).kind, 'malformed')
  }
})

t.test('what could be read in two ways is refused', async t => {
  const named = (body: Buffer): Extension[] => [[0, body]]
  const list = (...entries: Buffer[]): Buffer => {
    const all = Buffer.concat(entries)
    return Buffer.concat([Buffer.from([all.length >> 8, all.length & 255]), all])
  }
  const entry = (type: number, name: string | Buffer): Buffer => {
    const bytes = Buffer.from(name as string, 'latin1')
    return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255]), bytes])
  }
  const cases: Record<string, Buffer> = {
    'two names in one extension': hello({
      extensions: named(list(entry(0, 'free.test'), entry(0, 'games.test'))),
    }),
    'two extensions': hello({ extensions: [serverName('free.test'), serverName('games.test')] }),
    'a name of another type': hello({ extensions: named(list(entry(1, 'games.test'))) }),
    'an empty list': hello({ extensions: named(list()) }),
    'an empty name': hello({ extensions: named(list(entry(0, ''))) }),
    'a NUL in the name': hello({ extensions: [serverName('games.test\0.free.test')] }),
    'a space in the name': hello({ extensions: [serverName('free.test ')] }),
    'a line break in the name': hello({ extensions: [serverName('free\r\n.test')] }),
    'a name beyond ASCII': hello({ extensions: [serverName('fr\xe9e.test')] }),
    'a name of 300 octets': hello({ extensions: [serverName(`${'a.'.repeat(148)}test`)] }),
    'two trailing dots': hello({ extensions: [serverName('games.test..')] }),
    'an odd IPv4 address': hello({ extensions: [serverName('0x7f.1')] }),
    'bytes behind the list': hello({
      extensions: named(Buffer.concat([list(entry(0, 'free.test')), Buffer.from('x')])),
    }),
    'an extension longer than all': hello({
      extensions: [],
      extensionBytes: Buffer.from([0, 0, 0, 9]),
    }),
    'another handshake message': hello({ type: 2, extensions: [serverName('free.test')] }),
    'more than 16 kB': hello({ extensions: [serverName('free.test'), [21, Buffer.alloc(17_000)]] }),
    'an empty record': Buffer.from([22, 3, 1, 0, 0]),
    'another record in between': Buffer.concat([
      inRecords(hello({ extensions: [serverName('free.test')] }), 20).subarray(0, 25),
      Buffer.from([20, 3, 3, 0, 1, 1]),
    ]),
  }
  for (const [name, bytes] of Object.entries(cases))
    t.equal(readClientHello(bytes).kind, 'malformed', name)
})

t.test('a name is one name, however it is spelled', async t => {
  for (const spelling of ['GAMES.test', 'games.test.', 'Games.Test.'])
    t.equal(nameOf(readClientHello(hello({ extensions: [serverName(spelling)] }))), 'games.test')
})

t.test('no bytes whatever make it throw, and what it has said it does not take back', async t => {
  const whole = hello({ extensions: [serverName('free.test'), [43, Buffer.from([2, 3, 4])]] })
  const changes = array(tuple(nat(whole.length - 1), nat(255)), { maxLength: 6 })
  assert(
    property(changes, nat(whole.length), (list, end) => {
      const bytes = Buffer.from(whole)
      for (const [at, value] of list) bytes[at] = value
      const early = readClientHello(bytes.subarray(0, end))
      return early.kind === 'more' || early.kind === readClientHello(bytes).kind
    }),
    { numRuns: 5_000 },
  )
  assert(
    property(uint8Array({ maxLength: 200 }), bytes => {
      readClientHello(Buffer.from(bytes))
    }),
    { numRuns: 5_000 },
  )
  t.pass()
})
