/** Signals that meet: a SIGHUP while a worker is away, many of them, a SIGTERM among them; and a connection that is kept. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import { prepareFaults, type Faults } from '../support/faults.ts'
import { openLoadOrigins } from '../support/load.ts'
import { readUntil } from '../support/proxy-world.ts'
import { startProduct, type Product } from '../support/product.ts'
import {
  ask,
  countReloads,
  inOrder,
  isAlive,
  openTunnel,
  proxyPort,
  reload,
  until,
} from '../support/supervised.ts'

async function start(t: Test, workers = 1): Promise<{ product: Product; faults: Faults }> {
  const faults = prepareFaults(t.testdir())
  const limits = { drainTimeoutMs: 500, handoverTimeoutMs: 500 }
  const product = await startProduct(t, {
    names: ['free.test'],
    config: { workers, limits },
    env: faults.env,
  })
  return { product, faults }
}

t.test('a SIGHUP while a worker is away brings the new one at once', async t => {
  const { product, faults } = await start(t)
  faults.poisonStarts('all')
  const [worker = 0] = inOrder(product)
  process.kill(worker, 'SIGKILL')
  await until(() => product.said().split('could not be restarted').length > 4)
  t.match(await reload(product), 'n’ont pas démarré', 'it is told while it cannot be')
  faults.poisonStarts('none')
  t.match(await reload(product), 'tous les processus ont été remplacés')
  await until(() => product.children().length === 2)
  t.equal(await ask(product), '403')
  await elapsed(500)
  t.equal(product.children().length, 2, 'no second one comes after it')
})

t.test('many SIGHUPs at once are two reloads', async t => {
  const { product } = await start(t)
  for (let i = 0; i < 20; i++) product.process.kill('SIGHUP')
  await until(() => countReloads(product) >= 1)
  await until(() => product.children().length === 2 && countReloads(product) >= 2)
  await elapsed(300)
  t.ok(countReloads(product) <= 2, `${countReloads(product)} reloads`)
  t.equal(await ask(product), '403')
})

t.test('a SIGTERM in the middle of a SIGHUP ends all of it', async t => {
  for (const delay of [50, 500]) {
    const { product } = await start(t, 2)
    const { echoPort } = await openLoadOrigins(t)
    await openTunnel(t, product, echoPort)
    product.process.kill('SIGHUP')
    await elapsed(delay)
    const children = product.children()
    t.equal(await product.stop(), 0, `after ${delay} ms`)
    for (const pid of children) t.notOk(isAlive(pid))
    t.notMatch(product.said(), /a process died|could not/)
  }
})

t.test('a connection that is kept goes on to the new worker without a failed request', async t => {
  const { product } = await start(t)
  const socket = connect(proxyPort(product), '127.0.0.1')
  t.teardown(() => socket.destroy())
  const says = 'GET http://www.jeux.fr/ HTTP/1.1\r\nHost: a\r\n\r\n'
  socket.write(says)
  t.notMatch(await readUntil(socket, '</html>'), /^connection: close/im)
  const said = product.said().length
  product.process.kill('SIGHUP')
  let last = ''
  let asked = 0
  while (!/^connection: close/im.test(last) && asked++ < 500) {
    socket.write(says)
    last = await readUntil(socket, '</html>')
    if (!last.startsWith('HTTP/1.1 403')) break
    await elapsed(20)
  }
  t.match(last, /^HTTP\/1\.1 403/, 'each request of this connection has its answer')
  t.match(last, /^connection: close/im, 'and the last one says that it is the last')
  if (!socket.readableEnded) await once(socket, 'end')
  await until(() => product.said().slice(said).includes('remplacés'))
  t.equal(await ask(product), '403')
})
