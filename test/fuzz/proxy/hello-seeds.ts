/** Where mutated ClientHellos start from: real ones of OpenSSL, and hand-made ones, for allowed and for refused names. */
import { Duplex } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import { hello, inRecords, serverName } from '../../support/hello.ts'
import type { Mutation } from '../engine/mutate.ts'

/** What a TLS client says first. */
function realHello(servername: string, options: object = {}): Promise<Buffer> {
  return new Promise(resolve => {
    const socket = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        done()
        resolve(chunk)
      },
    })
    tlsConnect({ socket, servername, ...options }).on('error', () => undefined)
  })
}

const NAMES = ['free.test', 'other.test', 'games.test', 'GAMES.test.', 'www.games.test']
const ENCRYPTED = [0xfe0d, Buffer.alloc(60, 3)] as const

export async function helloMutation(): Promise<Mutation> {
  const real = await Promise.all(
    NAMES.flatMap(name => [
      realHello(name, { ALPNProtocols: ['h2', 'http/1.1'] }),
      realHello(name, { maxVersion: 'TLSv1.2' }),
    ]),
  )
  const made = NAMES.map(name => hello({ extensions: [serverName(name), ENCRYPTED] }))
  const odd = [
    hello({ extensions: [serverName('free.test'), serverName('games.test')] }),
    hello({ extensions: [[21, Buffer.alloc(3_000)], serverName('games.test')] }),
    hello({ extensions: [serverName('games.test\0.free.test')] }),
    hello({ extensions: [] }),
  ]
  const cut = [...real, ...made].map((bytes, at) => inRecords(bytes, 1 + ((at * 37) % 200)))
  const words = [
    ...NAMES,
    '\x16\x03\x01',
    '\x16\x03\x03',
    '\x16\x03\x01\0\x01',
    '\x15\x03\x01\0\x02\x01\0',
    '\x01\0',
    '\0\0',
    '\0\0\0\x0e\0\x0c\0\0\x09',
    '\0\0\0\x0f\0\x0d\0\0\x0a',
    '\xff\xff',
    '\xfe\x0d',
    '\0',
    '.',
    '\x14\x03\x03\0\x01\x01',
    ...[serverName('games.test'), serverName('free.test')].map(([id, body]) =>
      Buffer.concat([Buffer.from([0, id, 0, body.length]), body]).toString('latin1'),
    ),
  ]
  return { seeds: [...real, ...made, ...odd, ...cut], words, maxBytes: 20_000 }
}
