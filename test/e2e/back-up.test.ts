/** Case 128 of the catalogue: a back-up taken while the city works, and the machine that is then lost. */
import t, { type Test } from 'tap'
import { spawn } from 'node:child_process'
import { cpSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { runCli, runProgram, startProduct, writeConfig, type Product } from '../support/product.ts'

const WRITER = join(import.meta.dirname, '../store/fixtures/store-process.ts')
const SITES = ['www.miniclip.com', 'www.jeux.fr', 'www.jeuxvideo.com']

const curl = async (product: Product, ...args: string[]): Promise<string> => {
  const tail = ['-o', '/dev/null', '-w', '%{http_code}', '-x', product.proxyUrl]
  return (await runProgram('curl', ['-s', '-m', '10', ...tail, ...args])).stdout
}

const click = async (product: Product, site: string): Promise<boolean> =>
  (await curl(
    product,
    '-H',
    'Accept: application/json',
    '-d',
    '',
    `http://${site}/.preau/unblock`,
  )) === '200'

interface Writer {
  /** What was acknowledged to it so far. */
  readonly names: ReadonlySet<string>
  readonly kill: () => void
}

/** Another process that commits without a pause. */
function startWriter(t: Test, file: string, name: string): Writer {
  const names = new Set<string>()
  const child = spawn(process.execPath, [WRITER, file, 'write', name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const kill = (): void => void child.kill('SIGKILL')
  t.teardown(kill)
  const lines = createInterface({ input: child.stdout })
  lines.on('line', line => names.add(`${name}-${line.slice(3)}`))
  return { names, kill }
}

t.test(
  'a back-up under load has all that was acknowledged before it, and a lost machine comes back from it',
  async t => {
    const dir = t.testdir({ lost: {}, kept: {}, fresh: {} })
    const [lost, kept, fresh] = ['lost', 'kept', 'fresh'].map(name => join(dir, name)) as [
      string,
      string,
      string,
    ]
    const product = await startProduct(t, { dir: lost })
    for (const site of SITES.slice(0, 2)) t.ok(await click(product, site))
    const writers = ['a', 'b'].map(name => startWriter(t, join(product.dataDir, 'preau.db'), name))
    const acknowledged = (): string[] => writers.flatMap(({ names }) => [...names])
    while (writers.some(({ names }) => names.size < 50)) await wait(10)

    const before = acknowledged()
    const backUp = join(kept, 'backup.db')
    const { code, stdout } = await product.cli('store', 'copy', 'sqlite', backUp)
    t.equal(code, 0)
    t.match(stdout, /enregistrements et .* identiques[^]*data\/ca, à garder aussi/)
    const meanwhile = acknowledged().length - before.length
    t.ok(meanwhile > 0, 'the others did not wait')
    t.ok(await click(product, SITES[2] ?? ''), 'nor does anybody now')
    for (const { kill } of writers) kill()
    cpSync(join(product.dataDir, 'ca'), join(kept, 'ca'), { recursive: true })
    t.comment(
      `measured: ${before.length} commits before the back-up, ${meanwhile} during it; ${statSync(backUp).size} bytes`,
    )

    for (const pid of [...product.children(), product.process.pid ?? 0])
      process.kill(pid, 'SIGKILL')
    await product.stop()
    rmSync(lost, { recursive: true, force: true, maxRetries: 5 })

    const db = new DatabaseSync(backUp, { readOnly: true })
    t.match(db.prepare('PRAGMA integrity_check').get(), { integrity_check: 'ok' })
    db.close()
    const config = writeConfig(fresh, {})
    t.equal((await runCli(config, ['store', 'copy', backUp, 'sqlite'])).code, 0)
    cpSync(join(kept, 'ca'), join(fresh, 'data/ca'), { recursive: true })
    const back = await startProduct(t, { dir: fresh })
    t.equal(await curl(back, `http://${SITES[0]}/`), '403')
    const proxy = ['-x', back.proxyUrl, '--cacert', join(kept, 'ca/ca.pem')]
    const page = await runProgram('curl', ['-s', '-m', '10', ...proxy, `https://${SITES[0]}/`])
    t.match(page.stdout, /Ce site n’est pas ouvert ici/, 'the PCs still know its certificate')
    await back.stop()

    const store = await openSqliteStore(join(fresh, 'data/preau.db'), { check: true })
    t.teardown(() => store.close())
    const records = await store.list('latest', { limit: 1_000_000 })
    const found = new Set(records.map(({ id }) => id))
    t.strictSame(
      before.filter(name => !found.has(name)),
      [],
      'nothing that was acknowledged before is missing',
    )
    const requests = (await store.list('request')).map(({ body }) => body.host)
    t.strictSame(requests.toSorted(), SITES.slice(0, 2).toSorted())
  },
)
