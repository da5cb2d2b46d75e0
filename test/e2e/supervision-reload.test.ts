/** Case 127 and what SIGHUP promises: the configuration is read again, or the old one stays, and either is told. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as elapsed } from 'node:timers/promises'
import { prepareFaults, type Faults } from '../support/faults.ts'
import { openLoadOrigins } from '../support/load.ts'
import { readUntil } from '../support/proxy-world.ts'
import { runProgram, startProduct, type Product } from '../support/product.ts'
import {
  adminPort,
  ask,
  changeConfig,
  countReloads,
  healthOf,
  inOrder,
  isAlive,
  openTunnel,
  proxyPort,
  reload,
  until,
} from '../support/supervised.ts'

/** A page on another port is refused, or reached. */
const closed = { port: 0, connectPorts: ['1024-65535'], httpPorts: [80] }
const open = { ...closed, httpPorts: [80, '1024-65535'] }
const LIMITS = { drainTimeoutMs: 500, handoverTimeoutMs: 500 }

async function start(t: Test, workers = 1): Promise<{ product: Product; faults: Faults }> {
  const faults = prepareFaults(t.testdir())
  const product = await startProduct(t, {
    names: ['free.test'],
    config: { workers, limits: LIMITS, proxy: closed },
    env: faults.env,
  })
  return { product, faults }
}

/** Status of a page. */
async function askFor({ proxyUrl }: Product, url: string): Promise<string> {
  const args = ['-s', '-m', '5', '-o', '/dev/null', '-w', '%{http_code}', '-x', proxyUrl, url]
  return (await runProgram('curl', args)).stdout
}

t.test('what is changed counts at once, on the same ports, and its keys are told', async t => {
  const { product } = await start(t)
  const { httpPort } = await openLoadOrigins(t)
  const before = inOrder(product)
  const ports = [proxyPort(product), adminPort(product)]
  t.equal(
    await askFor(product, `http://free.test:${httpPort}/`),
    '403',
    'a port that is not reached',
  )
  changeConfig(product, { proxy: open })
  const said = await reload(product)
  t.match(said, 'Configuration relue : proxy.httpPorts ; tous les processus ont été remplacés.')
  t.equal(await askFor(product, `http://free.test:${httpPort}/`), '200')
  t.equal(await healthOf(product), 200)
  await until(() => product.children().length === 2)
  const after = inOrder(product)
  t.ok(
    after.every(pid => !before.includes(pid)),
    'all are new ones',
  )
  t.match(
    await reload(product),
    'sans changement',
    'also where nothing has changed: new code counts',
  )
  t.strictSame([proxyPort(product), adminPort(product)], ports)
  t.equal(await ask(product), '403')
})

t.test('more workers, and fewer', async t => {
  const { product } = await start(t)
  for (const workers of [3, 1, 2]) {
    changeConfig(product, { workers })
    t.match(await reload(product), 'Configuration relue : workers')
    await until(() => product.children().length === workers + 1)
    t.equal(product.children().length, workers + 1)
    const metrics = await (await fetch(`${product.adminUrl}/metrics`)).text()
    t.match(metrics, new RegExp(`^preau_workers ${workers}$`, 'm'))
    t.match(metrics, new RegExp(`^preau_workers_up ${workers}$`, 'm'))
    t.match(metrics, /^preau_restarts_total\{role="proxy"\} 0$/m, 'nobody has died')
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(product)))
    t.strictSame(new Set(answers), new Set(['403']))
  }
})

t.test('what cannot change in a running Préau is told, and the rest counts', async t => {
  const { product } = await start(t)
  const { httpPort } = await openLoadOrigins(t)
  changeConfig(product, {
    dataDir: 'elsewhere',
    admin: { port: 1, host: '0.0.0.0' },
    proxy: open,
  })
  const said = await reload(product)
  t.match(said, 'Configuration relue : proxy.httpPorts ;')
  t.match(said, /Attend un redémarrage complet : dataDir, admin\.host, admin\.port\./)
  t.equal(await askFor(product, `http://free.test:${httpPort}/`), '200')
  t.equal(await healthOf(product), 200, 'the admin app stays where it was')
})

t.test('a bad file changes nothing, and what is wrong with it is named', async t => {
  const { product } = await start(t)
  const before = inOrder(product)
  const bad: Record<string, string | RegExp> = {
    '{ "limits": { "conn': /n’a pas été reprise, rien n’a changé\..*config\.json/,
    '{ "limits": { "conections": 5 } }': 'limits.conections',
    '{ "workers": "many" }': /workers.*1 to 256, or "auto"/,
    '{ "proxy": { "port": "3128x" } }': 'proxy.port',
    '': 'rien n’a changé',
  }
  for (const [text, words] of Object.entries(bad)) {
    writeFileSync(product.configFile, text)
    t.match(await reload(product), words, text)
  }
  t.strictSame(inOrder(product), before, 'nobody was replaced')
  t.equal(await ask(product), '403')
  process.kill(before[0] ?? 0, 'SIGKILL')
  await until(() => product.children().length === 2)
  t.equal(await ask(product), '403', 'who dies comes back on the old configuration')
})

t.test('new ones that do not start: the old ones stay, with the old configuration', async t => {
  const { product, faults } = await start(t, 2)
  const { httpPort } = await openLoadOrigins(t)
  const before = inOrder(product)
  changeConfig(product, { proxy: open })
  faults.poisonStarts('all')
  t.match(await reload(product), /n’ont pas démarré : ceux d’avant restent.*ended at start \(9\)/)
  t.strictSame(inOrder(product), before)
  t.equal(await ask(product), '403')
  faults.poisonStarts('admin')
  t.match(await reload(product), 'n’ont pas démarré')
  t.equal(inOrder(product)[0], before.at(-1), 'the admin process is the old one')
  t.equal(
    await askFor(product, `http://free.test:${httpPort}/`),
    '403',
    'the workers that had been replaced have gone back to the old configuration',
  )
  faults.poisonStarts('none')
  t.match(await reload(product), 'Configuration relue : proxy.httpPorts')
  t.equal(await askFor(product, `http://free.test:${httpPort}/`), '200')
})

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
