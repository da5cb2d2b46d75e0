/** Préau starts where it can listen, beside what may still be there, and says so where it cannot. */
import t from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { runCli, runProgram, startProduct, writeConfig } from '../support/product.ts'
import { adminPort, ask, healthOf, proxyPort } from '../support/supervised.ts'

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
