/** Processes die, restart, drain and end as a DSI expects. */
import t from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import { readUntil } from '../support/proxy-world.ts'
import { startProduct } from '../support/product.ts'
import { ask, healthOf, until, untilServed } from '../support/supervised.ts'

t.test(
  'a process that is killed comes back on the same port, and the others never stop',
  async t => {
    const product = await startProduct(t, {
      config: { workers: 1, proxy: { port: 0 }, admin: { port: 0 } },
    })
    const [first = 0, second = 0] = product.children().toSorted((a, b) => a - b)
    process.kill(first, 'SIGKILL')
    const proxyMs = await untilServed(product)
    t.comment(`measured: proxy served again ${proxyMs.toFixed(0)} ms after kill -9`)
    t.equal(await ask(product), '403')
    process.kill(second, 'SIGKILL')
    t.equal(await ask(product), '403', 'the proxy does not need the admin app')
    const startedAt = performance.now()
    await until(async () => (await healthOf(product)) === 200)
    const adminMs = performance.now() - startedAt
    t.comment(`measured: admin app served again ${adminMs.toFixed(0)} ms after kill -9`)
    t.equal(await healthOf(product), 200)
  },
)

t.test(
  'SIGTERM lets an open tunnel end by itself within its time, and ends with code 0',
  async t => {
    const echo = createServer(socket => socket.on('error', () => undefined).pipe(socket))
    echo.listen(0, '127.0.0.1')
    await once(echo, 'listening')
    t.teardown(() => echo.close())
    const product = await startProduct(t, {
      names: ['echo.test'],
      config: {
        proxy: { port: 0, connectPorts: ['1024-65535'] },
        limits: { drainTimeoutMs: 5_000 },
      },
    })
    const socket = connect({ port: Number(new URL(product.proxyUrl).port), host: '127.0.0.1' })
    t.teardown(() => socket.destroy())
    socket.write(
      `CONNECT echo.test:${(echo.address() as AddressInfo).port} HTTP/1.1\r\nHost: a\r\n\r\n`,
    )
    await readUntil(socket, '\r\n\r\n')
    const stopped = product.stop()
    await new Promise(resolve => setTimeout(resolve, 300))
    socket.write('still here')
    t.equal(
      await readUntil(socket, 'still here'),
      'still here',
      'the tunnel goes on while the proxy drains',
    )
    t.equal(await ask(product), 'ECONNREFUSED', 'and no new connection is taken')
    const endedAt = performance.now()
    socket.end()
    t.equal(await stopped, 0)
    t.ok(performance.now() - endedAt < 4_000, 'it does not wait for its time to run out')
  },
)

t.test(
  'several workers share a port, of which there may be any; "auto" is one a processor',
  async t => {
    const product = await startProduct(t, { config: { workers: 2 } })
    t.equal(product.children().length, 3)
    for (let i = 0; i < 20; i++) t.equal(await ask(product), '403')
    const auto = await startProduct(t, { env: { PREAU_WORKERS: 'auto' } })
    t.equal(auto.children().length, availableParallelism() + 1)
    t.equal(await ask(auto), '403')
  },
)
