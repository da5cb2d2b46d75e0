/** Case 79 of the catalogue: the key of the city's CA is damaged or gone. What is refused stays refused. */
import t from 'tap'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProduct, type Product } from '../support/product.ts'
import { readUntil } from '../support/proxy-world.ts'

/** Everything the proxy says to a request, empty where there is no proxy. */
async function ask(product: Product, text: string): Promise<string> {
  const socket = connect(Number(new URL(product.proxyUrl).port), '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(text)
  const answer = await readUntil(socket, '\r\n\r\n')
  socket.destroy()
  return answer
}

const tunnel = 'CONNECT www.jeux.fr:443 HTTP/1.1\r\nHost: www.jeux.fr\r\n\r\n'
const page = 'GET http://www.jeux.fr/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

t.test('a worker that comes back without a usable key refuses as before', async t => {
  const product = await startProduct(t)
  t.match(await ask(product, tunnel), /^HTTP\/1\.1 200 /, 'with the key: the page, inside TLS')
  const keyFile = join(product.dataDir, 'ca/ca.key')
  const key = readFileSync(keyFile, 'utf8')
  // In the order of their start: the worker, then the admin process.
  const admin = product.children().at(-1)
  let log = ''
  product.process.stderr?.on('data', chunk => (log += String(chunk)))
  for (const [title, damage] of [
    ['damaged', () => writeFileSync(keyFile, 'x')],
    ['gone', () => rmSync(keyFile)],
  ] as const) {
    damage()
    log = ''
    const worker = product.children().find(pid => pid !== admin)
    if (worker === undefined) throw new Error('no worker')
    process.kill(worker, 'SIGKILL')
    let answer = ''
    for (let i = 0; i < 200 && !answer.startsWith('HTTP/1.1 403'); i++) {
      answer = await ask(product, tunnel)
      await new Promise(resolve => setTimeout(resolve, 25))
    }
    t.match(answer, /^HTTP\/1\.1 403 /, title)
    t.match(await ask(product, page), /^HTTP\/1\.1 403 /, `${title}: in clear`)
    t.match(log, /PREAU_CA_UNREADABLE/, `${title}: loud`)
    t.notMatch(log, /PRIVATE KEY/)
    t.notMatch(log, key.split('\n')[1] ?? '-', 'never told')
  }
  await product.stop()
  const again = startProduct(t, { dir: join(product.dataDir, '..') })
  await t.rejects(again, /ca\.key/, 'nobody starts on such a CA without noticing')
})

t.test('where all of it is gone no new one comes to be that no PC knows', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'preau-lost-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const product = await startProduct(t, { dir })
  await product.stop()
  rmSync(join(product.dataDir, 'ca'), { recursive: true })
  const refused = await product.cli('start')
  t.equal(refused.code, 2)
  t.match(refused.stderr, /remettez ce dossier depuis une sauvegarde.*preau .*ca record/)
  t.notOk(existsSync(product.caFile))
  t.equal((await product.cli('ca', 'record')).code, 0, 'unless it is asked for')
  const again = await startProduct(t, { dir })
  t.match(await ask(again, tunnel), /^HTTP\/1\.1 200 /)
})

t.test('the key is handed out by no address of ours', async t => {
  const product = await startProduct(t)
  for (const path of [
    '/ca.key',
    '/ca/ca.key',
    '/../ca/ca.key',
    '/%2e%2e/ca/ca.key',
    '/ca.pem/../ca.key',
  ]) {
    const socket = connect(Number(new URL(product.proxyUrl).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write(
      `GET http://preau.internal${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    const answer = await readUntil(socket)
    t.match(answer, /^HTTP\/1\.1 404 /, path)
    t.notMatch(answer, 'PRIVATE KEY')
  }
})
