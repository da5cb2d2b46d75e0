/** Processes die, restart, drain and end as a DSI expects. */
import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLoadOrigins } from '../support/load.ts'
import { readUntil } from '../support/proxy-world.ts'
import { runCli, runProgram, startProduct, writeConfig } from '../support/product.ts'
import {
  adminPort,
  ask,
  healthOf,
  isAlive,
  isOver,
  openTunnel,
  proxyPort,
  until,
  untilServed,
} from '../support/supervised.ts'

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

t.test('names and addresses of both families are listened on', async t => {
  for (const host of ['localhost', '::1']) {
    const product = await startProduct(t, {
      config: { proxy: { host, port: 0 }, admin: { host, port: 0 } },
    })
    t.equal(await healthOf(product), 200, host)
    const { stdout } = await runProgram('curl', [
      '-s',
      '-x',
      product.proxyUrl,
      'http://www.jeux.fr/',
    ])
    t.match(stdout, '</html>', host)
  }
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

t.test('another Préau is refused its port, though both would share it among workers', async t => {
  const product = await startProduct(t, { config: { workers: 2 } })
  const proxy = { port: proxyPort(product) }
  const config = writeConfig(t.testdir(), { config: { workers: 2, proxy } })
  const { code, stderr } = await runCli(config, ['start'])
  t.equal(code, 2)
  t.match(stderr, 'un autre Préau tourne-t-il ?')
  const onAdmin = { workers: 2, admin: { port: adminPort(product) } }
  const other = await runCli(writeConfig(t.testdir(), { config: onAdmin }), ['start'])
  t.match(other.stderr, 'admin.port')
  t.equal(await ask(product), '403')
})

t.test('a supervisor that is killed leaves nobody, and a start right after it works', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'preau-orphans-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const { echoPort } = await openLoadOrigins(t)
  const options = { dir, names: ['free.test'] }
  const first = await startProduct(t, {
    ...options,
    config: { workers: 2, limits: { drainTimeoutMs: 2_000 } },
  })
  const tunnel = await openTunnel(t, first, echoPort)
  const orphans = first.children()
  first.process.kill('SIGKILL')
  const ports = { proxy: { port: proxyPort(first) }, admin: { port: adminPort(first) } }
  const second = await startProduct(t, { ...options, config: { workers: 2, ...ports } })
  t.equal(await ask(second), '403')
  t.equal(await healthOf(second), 200)
  await until(() => !orphans.some(isAlive))
  t.notOk(orphans.some(isAlive), 'the children of the first one have ended by themselves')
  t.ok(isOver(tunnel))
  for (let i = 0; i < 20; i++) t.equal(await ask(second), '403', 'and took nothing with them')
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
  t.equal(await ask(first), '403')
  t.equal(await ask(second), '403')
})
