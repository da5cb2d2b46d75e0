/** Cases 133 and 134: many clients that take a large file drop by drop, or not at all. The origins wait; the memory stays. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { countDescriptors, notLinux, residentBytes } from '../support/process-state.ts'
import { eventually, readUntil } from '../support/proxy-world.ts'
import { startProduct } from '../support/product.ts'

const READERS = 100
/** Buffers of a hundred readers, and what the collector has not yet picked up; without back-pressure it would be gigabytes. */
const MAX_GROWTH_BYTES = 250_000_000

/** An origin that pours as fast as it may; counts what it got rid of. */
async function openFountain(t: Test) {
  const seen = { bytes: 0, open: 0 }
  const server = createServer(socket => {
    seen.open++
    socket.on('error', () => undefined)
    socket.once('close', () => seen.open--)
    const chunk = Buffer.alloc(65_536, 'x')
    const send = (): void => {
      while (socket.writable && socket.write(chunk)) seen.bytes += chunk.length
    }
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n')
      socket.on('drain', send)
      send()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { port: (server.address() as AddressInfo).port, seen }
}

t.test('a hundred slow readers cost their buffers and no more', { skip: notLinux }, async t => {
  const { port, seen } = await openFountain(t)
  const product = await startProduct(t, { names: ['free.test'] })
  const site = `free.test:${port}`
  const workers = product.children()
  const resident = (): number => workers.map(residentBytes).reduce((a, b) => a + b)
  const descriptors = (): number => workers.map(countDescriptors).reduce((a, b) => a + b)
  const open = (says: string): Socket => {
    const socket = connect(Number(new URL(product.proxyUrl).port), '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(says)
    return socket
  }
  const ask = (): Promise<string> =>
    readUntil(open('GET http://www.miniclip.com/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))
  await ask()
  const [before, descriptorsBefore] = [resident(), descriptors()]
  const readers = Array.from({ length: READERS }, (_, i) =>
    open(
      i % 2 === 0
        ? `GET http://${site}/ HTTP/1.1\r\nHost: a\r\n\r\n`
        : `CONNECT ${site} HTTP/1.1\r\nHost: a\r\n\r\ngo`,
    ).pause(),
  )
  t.teardown(() => readers.forEach(reader => reader.destroy()))
  // A few drops at a time, and at most: a handful of kilobytes a second each.
  const drip = setInterval(() => readers.forEach(reader => reader.read(1_000)), 100)
  t.teardown(() => clearInterval(drip))
  await eventually(() => seen.open === READERS, 20_000)
  t.equal(seen.open, READERS)
  let last = -1
  await eventually(() => {
    const isStill = seen.bytes - last < 1_000_000
    last = seen.bytes
    return isStill
  }, 20_000)
  const growth = resident() - before
  t.comment(`measured: ${(growth / 1e6).toFixed(0)} MB for ${READERS} slow readers`)
  t.ok(growth < MAX_GROWTH_BYTES, `${(growth / 1e6).toFixed(0)} MB`)
  t.match(await ask(), /^HTTP\/1\.1 403 /, 'others are served meanwhile')
  clearInterval(drip)
  for (const reader of readers) reader.destroy()
  await eventually(() => seen.open === 0 && descriptors() <= descriptorsBefore + 8, 20_000)
  t.equal(seen.open, 0, 'no origin waits for somebody who has gone')
  t.ok(descriptors() <= descriptorsBefore + 8)
  t.strictSame(product.children(), workers)
})
