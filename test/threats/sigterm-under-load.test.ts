/** Case 121: SIGTERM while everybody works. No new connection, answers under way come whole, tunnels end in their time, code 0. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { eventually, readUntil } from '../support/proxy-world.ts'
import { startProduct, type Product } from '../support/product.ts'

const ANSWERS = 30
const TUNNELS = 30

async function listen(t: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

const start = (t: Test, drainTimeoutMs: number): Promise<Product> =>
  startProduct(t, { names: ['free.test'], config: { ...CONFIG, limits: { drainTimeoutMs } } })

const CONFIG = {
  proxy: { port: 0, connectPorts: ['1024-65535'] },
  admin: { port: 0 },
  dial: { hosts: { 'free.test': '127.0.0.1' } },
}

function openTo(t: Test, product: Product, says: string): Socket {
  const socket = connect(Number(new URL(product.proxyUrl).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  socket.write(says)
  return socket
}

const isOver = (socket: Socket): boolean => socket.closed || socket.readableEnded

t.test('what is under way is finished, what does not end is ended', async t => {
  const answers = new Set<() => void>()
  const slow = createHttpServer((_request, response) => {
    response.write('first half, ')
    answers.add(() => response.end('second half'))
  })
  const slowPort = await listen(t, slow)
  const echo = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  const echoPort = await listen(t, echo)
  const product = await start(t, 3_000)
  const says = `GET http://free.test:${slowPort}/ HTTP/1.1\r\nHost: a\r\n\r\n`
  const requests = Array.from({ length: ANSWERS }, () => openTo(t, product, says))
  const tunnelSays = `CONNECT free.test:${echoPort} HTTP/1.1\r\nHost: a\r\n\r\n`
  const tunnels = Array.from({ length: TUNNELS }, () => openTo(t, product, tunnelSays))
  const heads = await Promise.all(tunnels.map(socket => readUntil(socket, '\r\n\r\n')))
  t.ok(heads.every(head => head.startsWith('HTTP/1.1 200')))
  await eventually(() => answers.size === ANSWERS)
  const whole = requests.map(socket => readUntil(socket, 'second half'))
  const stopped = product.stop()
  await untilClosed(t, product)
  const [talker] = tunnels
  talker?.write('still here')
  t.equal(talker && (await readUntil(talker, 'still here')), 'still here', 'a tunnel goes on')
  for (const end of answers) end()
  for (const answer of await Promise.all(whole))
    t.match(answer, /^HTTP\/1\.1 200[\s\S]*first half, [\s\S]*second half/)
  t.equal(await stopped, 0)
  await eventually(() => tunnels.every(isOver))
  t.ok(tunnels.every(isOver), 'the tunnels were ended')
  t.equal(product.accessLog().length, ANSWERS + TUNNELS, 'and all of it is logged')
})

t.test('a second SIGTERM ends it at once', async t => {
  const echo = createServer(socket => socket.on('error', () => undefined).pipe(socket))
  const port = await listen(t, echo)
  const product = await start(t, 120_000)
  const tunnel = openTo(t, product, `CONNECT free.test:${port} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await readUntil(tunnel, '\r\n\r\n')
  const children = product.children()
  const exited = once(product.process, 'exit')
  product.process.kill('SIGTERM')
  await untilClosed(t, product)
  t.notOk(isOver(tunnel), 'the first one waits for the tunnel')
  product.process.kill('SIGTERM')
  const [code] = (await exited) as [number | null]
  t.equal(code, 0)
  for (const pid of children) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

/** Waits until the proxy takes no connection any more. */
async function untilClosed(t: Test, product: Product): Promise<void> {
  let isOpen = true
  for (let i = 0; i < 200 && isOpen; i++) {
    const socket = openTo(t, product, '')
    isOpen = await Promise.race([
      once(socket, 'connect').then(
        () => true,
        () => false,
      ),
      once(socket, 'close').then(() => false),
    ])
    socket.destroy()
    if (isOpen) await new Promise(resolve => setTimeout(resolve, 20))
  }
  t.notOk(isOpen, 'no new connection is taken')
}
