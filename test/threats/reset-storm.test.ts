/** Cases 130 and 131: clients that come in crowds and break off, in every phase. Nothing of them is left, here or at the origins. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { countCloseWait, countDescriptors, notLinux } from '../support/process-state.ts'
import { eventually, readUntil } from '../support/proxy-world.ts'
import { startProduct, type Product } from '../support/product.ts'

const CROWD = 300
const STORMS = 5

/** An origin that sends without end once it has heard something; remembers who is still connected. */
async function openFountain(t: Test) {
  const open = new Set<Socket>()
  const server = createServer(socket => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => open.delete(socket))
    const send = (): void => {
      while (socket.writable && socket.write(Buffer.alloc(65_536, 'x'))) continue
    }
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n')
      socket.on('drain', send)
      send()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, open }
}

function openTo(product: Product): Socket {
  const socket = connect(Number(new URL(product.proxyUrl).port), '127.0.0.1')
  return socket.on('error', () => undefined)
}

t.test('crowds that break off leave no socket behind', { skip: notLinux }, async t => {
  const fountain = await openFountain(t)
  const product = await startProduct(t, { names: ['free.test'] })
  const workers = product.children()
  const descriptors = (): number[] => workers.map(countDescriptors)
  const site = `free.test:${fountain.port}`
  const phases: Record<string, { says: string; until?: string | RegExp; isAbrupt?: boolean }> = {
    'at once': { says: '' },
    'in the head': { says: 'CONNECT free.te', isAbrupt: true },
    'before the answer': { says: `CONNECT ${site} HTTP/1.1\r\nHost: a\r\n\r\n`, isAbrupt: true },
    'in a silent tunnel': {
      says: `CONNECT ${site} HTTP/1.1\r\nHost: a\r\n\r\n`,
      until: '\r\n\r\n',
    },
    'in the middle of a tunnelled download': {
      says: `CONNECT ${site} HTTP/1.1\r\nHost: a\r\n\r\ngo`,
      until: 'xxxx',
      isAbrupt: true,
    },
    'in the middle of a download': {
      says: `GET http://${site}/ HTTP/1.1\r\nHost: a\r\n\r\n`,
      until: 'xxxx',
    },
    'in the middle of an upload': {
      says: `POST http://${site}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\nhalf`,
      isAbrupt: true,
    },
    'in the handshake of a refused site': {
      says: 'CONNECT www.miniclip.com:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01',
      until: '\r\n\r\n',
      isAbrupt: true,
    },
  }
  // What a first visit opens for good (a socket of the DNS, a compiled file) is no leak.
  t.match(await ask(product), /^HTTP\/1\.1 403/)
  const before = descriptors()
  const kinds = Object.entries(phases)
  for (let storm = 0; storm < STORMS; storm++) {
    await Promise.all(
      Array.from({ length: CROWD }, async (_, i) => {
        const [, { says, until, isAbrupt }] = kinds[i % kinds.length] ?? ['', { says: '' }]
        const socket = openTo(product)
        socket.write(Buffer.from(says, 'latin1'))
        if (until === undefined) await once(socket, 'connect')
        else await readUntil(socket, until)
        if (isAbrupt) socket.resetAndDestroy()
        else socket.destroy()
      }),
    )
  }
  await eventually(() => fountain.open.size === 0)
  t.equal(fountain.open.size, 0, 'no origin is kept busy for nobody')
  const isBack = (): boolean => descriptors().every((count, i) => count <= (before[i] ?? 0) + 8)
  await eventually(isBack)
  t.ok(isBack(), `${before.join(', ')} descriptors before, ${descriptors().join(', ')} after`)
  t.strictSame(workers.map(countCloseWait), [0, 0], 'nothing waits to be closed')
  t.match(await ask(product), /^HTTP\/1\.1 403/, 'the next one is served')
  t.strictSame(product.children(), workers, 'by the same processes')
  await product.stop()
  const log = product.accessLog()
  t.ok(log.filter(({ method }) => method === 'GET').length >= CROWD / 8, 'and all of it is logged')
})

async function ask(product: Product): Promise<string> {
  const socket = openTo(product)
  socket.write('GET http://www.miniclip.com/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  return readUntil(socket)
}
