/** Case 127 and what SIGHUP promises: the configuration is read again, or the old one stays, and either is told. */
import t, { type Test } from 'tap'
import { writeFileSync } from 'node:fs'
import { prepareFaults, type Faults } from '../support/faults.ts'
import { openLoadOrigins } from '../support/load.ts'
import { runProgram, startProduct, type Product } from '../support/product.ts'
import {
  adminPort,
  ask,
  changeConfig,
  healthOf,
  inOrder,
  proxyPort,
  reload,
  until,
} from '../support/supervised.ts'

/** A page on another port is refused, or reached. */
const closed = { port: 0, connectPorts: ['1024-65535'], httpPorts: [80] }
const open = { ...closed, httpPorts: [80, '1024-65535'] }
const LIMITS = { drainTimeoutMs: 500, handoverTimeoutMs: 3_000 }

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
    '{ "workers": "many" }': /workers.*de 1 à 256, ou "auto"/,
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
  t.match(
    await reload(product),
    /n’ont pas démarré : ceux d’avant restent.*ancienne configuration : le processus « proxy » s’est arrêté pendant son démarrage \(9\)/,
  )
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
