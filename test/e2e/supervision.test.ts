/** Processes die, restart, drain and end as a DSI expects. */
import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../support/free-port.ts'
import { readUntil } from '../support/proxy-world.ts'
import { runCli, runProgram, startProduct, writeConfig, type Product } from '../support/product.ts'

const status = async (product: Product, host = 'www.miniclip.com'): Promise<string> =>
  (
    await runProgram('curl', [
      '-s',
      '-m',
      '3',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-x',
      product.proxyUrl,
      `http://${host}/`,
    ])
  ).stdout

async function untilServed(product: Product): Promise<number> {
  const startedAt = performance.now()
  while ((await status(product)) !== '403' && performance.now() - startedAt < 20_000) {
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return performance.now() - startedAt
}

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
    t.equal(await status(product), '403')
    process.kill(second, 'SIGKILL')
    t.equal(await status(product), '403', 'the proxy does not need the admin app')
    let health = ''
    for (let i = 0; i < 200 && health !== '200'; i++) {
      health = (
        await runProgram('curl', [
          '-s',
          '-m',
          '1',
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
          `${product.adminUrl}/healthz`,
        ])
      ).stdout
    }
    t.equal(health, '200')
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
    t.equal(await status(product), '000', 'and no new connection is taken')
    const endedAt = performance.now()
    socket.end()
    t.equal(await stopped, 0)
    t.ok(performance.now() - endedAt < 4_000, 'it does not wait for its time to run out')
  },
)

t.test('two workers share the port', async t => {
  const product = await startProduct(t, {
    config: { workers: 2, proxy: { port: await freePort() }, admin: { port: 0 } },
  })
  t.equal(product.children().length, 3)
  for (let i = 0; i < 20; i++) t.equal(await status(product), '403')
})

t.test('a port that is taken is named, with the key to change', async t => {
  const busy = createServer().listen(0, '127.0.0.1')
  await once(busy, 'listening')
  t.teardown(() => busy.close())
  const { port } = busy.address() as AddressInfo
  const config = writeConfig(t.testdir(), { config: { proxy: { port } } })
  const { code, stderr } = await runCli(config, ['start'])
  t.equal(code, 2)
  t.match(
    stderr,
    new RegExp(`preau : Le port ${port} de 127\\.0\\.0\\.1 est déjà utilisé .*proxy\\.port`),
  )
})

t.test('a start that is stopped half-way ends cleanly and leaves no process behind', async t => {
  const config = writeConfig(t.testdir(), {})
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const child = spawn(process.execPath, [cli, 'start', '--config', config], {
    stdio: 'ignore',
    detached: true,
  })
  const group = child.pid ?? 0
  await new Promise(resolve => setTimeout(resolve, 1_500))
  child.kill('SIGTERM')
  const [code] = (await once(child, 'exit')) as [number | null]
  t.equal(code, 0)
  t.throws(() => process.kill(-group, 0), { code: 'ESRCH' })
})

t.test('a second start from another folder, or the same, does not harm the first', async t => {
  const dir = t.testdir()
  const first = await startProduct(t, { dir })
  const second = await startProduct(t, { dir })
  t.equal(await status(first), '403')
  t.equal(await status(second), '403')
})
