/** Case 72 of the catalogue: whatever is allowed is never intercepted, however many sites a school visits. */
import t from 'tap'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { hello, serverName } from '../support/hello.ts'
import { openProxyWorld, readUntil } from '../support/proxy-world.ts'

const NAMES = 1_000

/** What an origin answers to a ClientHello: nothing that anybody else could have made up. */
const answerTo = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

t.test(`${NAMES} allowed sites speak TLS with the browser themselves, byte for byte`, async t => {
  const origin = createServer(socket => {
    socket.once('data', (bytes: Buffer) => socket.end(answerTo(bytes)))
  }).listen(0, '127.0.0.1')
  await once(origin, 'listening')
  t.teardown(() => origin.close())
  const { port } = origin.address() as AddressInfo
  const names = Array.from({ length: NAMES }, (_, i) => `www.site-${i}.test`)
  const world = await openProxyWorld(t, { names })
  let wrong = 0
  for (const name of names) {
    const bytes = hello({ extensions: [serverName(name)] })
    const socket = await world.open()
    const head = `CONNECT ${name}:${port} HTTP/1.1\r\nHost: ${name}\r\n\r\n`
    socket.write(Buffer.concat([Buffer.from(head), bytes]))
    const answer = await readUntil(socket)
    if (!answer.endsWith(`\r\n\r\n${answerTo(bytes)}`)) wrong++
    socket.destroy()
  }
  t.equal(wrong, 0)
  t.equal(world.refused.length, 0)
})
