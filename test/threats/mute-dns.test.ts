/** Issue 13, S1: names whose DNS server says nothing, asked for by one PC, must not keep anybody else's from being found. */
import t, { type Test } from 'tap'
import { connect } from 'node:net'
import { openDns } from '../support/dns-server.ts'
import { eventually, openOrigin, openProxyWorld, readUntil } from '../support/proxy-world.ts'

const PER_PC = 100
const HOSTILE = '127.0.0.9'

async function openWorld(t: Test) {
  const origin = await openOrigin(t)
  const fresh = Object.fromEntries(
    Array.from({ length: 5 }, (_, i) => [`fresh${i}.test`, ['127.0.0.1']]),
  )
  const { server } = await openDns(t, fresh, { isMuteFor: name => name.endsWith('mute.test') })
  const world = await openProxyWorld(t, {
    dnsServers: [server],
    dialAllow: ['127.0.0.0/8'],
    limits: { lookupsPerClient: PER_PC, dialTimeoutMs: 60_000 },
  })
  const tunnel = async (name: string, from: string): Promise<string> => {
    const socket = await world.open(from)
    socket.write(`CONNECT ${name}:${origin.port} HTTP/1.1\r\nHost: ${name}\r\n\r\n`)
    return readUntil(socket, '\r\n\r\n')
  }
  return { world, tunnel }
}

t.test('a PC that asks for a thousand mute names waits alone', async t => {
  const { world, tunnel } = await openWorld(t)
  const answers: string[] = []
  for (let i = 0; i < 3 * PER_PC; i++)
    void tunnel(`n${i}.mute.test`, HOSTILE).then(head => answers.push(head))
  await eventually(() => answers.length === 2 * PER_PC)
  t.equal(world.lookups(), PER_PC)
  t.ok(
    answers.every(head => head.startsWith('HTTP/1.1 503 ')),
    'it is told that this is too much',
  )
  t.ok(world.limited.includes('lookupsPerClient'))
  for (let i = 0; i < 5; i++)
    t.match(
      await tunnel(`fresh${i}.test`, '127.0.0.2'),
      /^HTTP\/1\.1 200 /,
      'others find new names',
    )
  t.equal(world.lookups(), PER_PC, 'while it still waits')
})

t.test('a look-up ends with the client that asked for it, in a tunnel or not', async t => {
  const { world } = await openWorld(t)
  for (const head of [
    'CONNECT gone.mute.test:443 HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET http://gone.mute.test/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'GET http://gone.mute.test/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  ]) {
    const socket = connect({ port: world.port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    socket.write(head.replace(':443', ':1443'))
    await eventually(() => world.lookups() === 1)
    t.equal(world.lookups(), 1, head)
    socket.resetAndDestroy()
    await eventually(() => world.lookups() === 0)
    t.equal(world.lookups(), 0)
  }
})
