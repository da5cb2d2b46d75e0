/** The frames of a WebSocket, read in passing (RFC 6455 §5.2): whatever is none is told at its first byte. */
import t from 'tap'
import { Frames } from '../../src/proxy/frames.ts'
import { frame } from '../support/websocket.ts'

const CLIENT = { side: 'client', mayCompress: false } as const
const SERVER = { side: 'server', mayCompress: false } as const
const masked = (text: string, parts = {}): Buffer => frame(text, { isMasked: true, ...parts })

t.test('frames of every length pass, in one piece and byte by byte', t => {
  const long = 'x'.repeat(70_000)
  const talk = [
    masked(''),
    masked('hi'),
    masked('y'.repeat(126)),
    masked('mid', { first: 0x02 }),
    masked('', { opcode: 9 }),
    masked('dle', { first: 0x00 }),
    masked('end', { first: 0x80 }),
    masked(long, { opcode: 2 }),
    masked('\x03\xe8', { opcode: 8 }),
  ]
  const all = Buffer.concat(talk)
  t.ok(new Frames(CLIENT).take(all))
  for (const step of [1, 2, 3, 7, 4_096]) {
    const frames = new Frames(CLIENT)
    let refused = 0
    for (let at = 0; at < all.length; at += step)
      if (!frames.take(all.subarray(at, at + step))) refused++
    t.equal(refused, 0, `in steps of ${step}`)
  }
  t.ok(
    new Frames(SERVER).take(Buffer.concat([frame('hi'), frame(long), frame('', { opcode: 10 })])),
  )
  t.end()
})

t.test('what is no frame is refused before anything of it has passed', t => {
  const head = (...bytes: number[]): Buffer => Buffer.from(bytes)
  const wrong: Record<string, Buffer> = {
    'an SSH client': Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n'),
    'a ClientHello': head(0x16, 3, 1, 2, 0, 1),
    'another request': Buffer.from('GET / HTTP/1.1\r\n'),
    'a frame of a server': frame('hi'),
    'a reserved opcode': masked('hi', { opcode: 3 }),
    'a reserved bit': masked('hi', { first: 0xa1 }),
    'compression that nobody agreed to': masked('hi', { first: 0xc1 }),
    'a ping in pieces': masked('', { first: 0x09 }),
    'a ping of 126 bytes': masked('p'.repeat(126), { opcode: 9 }),
    'the rest of a message that never began': masked('hi', { first: 0x80 }),
    'a second message inside the first': Buffer.concat([masked('a', { first: 1 }), masked('b')]),
    'a frame behind the last one': Buffer.concat([masked('', { opcode: 8 }), masked('b')]),
    'a length without end': head(0x82, 0xff, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4),
    'a length that some read as a negative one': head(
      0x82,
      0xff,
      0x80,
      0,
      0,
      0,
      0,
      0,
      0,
      1,
      1,
      2,
      3,
      4,
    ),
  }
  for (const [name, bytes] of Object.entries(wrong)) {
    t.notOk(new Frames(CLIENT).take(bytes), name)
    const slow = new Frames(CLIENT)
    t.notOk(
      [...bytes].every(byte => slow.take(Buffer.from([byte]))),
      `${name}, byte by byte`,
    )
  }
  t.notOk(new Frames(SERVER).take(masked('hi')), 'a frame of a client, said by a server')
  t.notOk(new Frames(SERVER).take(Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n')), 'an SSH server')
  t.end()
})

t.test(
  'compressed messages pass where they were agreed upon, compressed controls never',
  async t => {
    const frames = new Frames({ side: 'server', mayCompress: true })
    t.ok(frames.take(frame('hi', { first: 0xc1 })))
    t.notOk(frames.take(frame('', { first: 0xc9 })))
  },
)
