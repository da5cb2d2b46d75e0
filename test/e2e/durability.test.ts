/** What was acknowledged is on disk: processes are killed right after an answer, and everything must still be there. */
import t from 'tap'
import { writeFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteStore } from '../../src/store/sqlite-store.ts'
import { runCli, runProgram, startProduct, type Product } from '../support/product.ts'

const HOSTS = Array.from({ length: 8 }, (_, i) => `game${i}.test`)

const ask = (product: Product, host: string) =>
  runProgram('curl', [
    '-sS',
    '-m',
    '5',
    '-x',
    product.proxyUrl,
    '-H',
    'Accept: application/json',
    '-d',
    '',
    '-w',
    '\n%{http_code}',
    `http://${host}/.preau/unblock`,
  ])

async function requestsIn(dataDir: string): Promise<string[]> {
  const store = await openSqliteStore(join(dataDir, 'preau.db'), { check: true })
  const requests = await store.list('request', {})
  await store.close()
  return requests.map(({ body }) => body.host).toSorted()
}

t.test(
  'a request that was answered survives the kill of any process, and nothing else is needed',
  async t => {
    const dir = t.testdir({ 'games.txt': HOSTS.join('\n') })
    const first = await startProduct(t, { dir })
    t.equal(
      (await first.cli('lists', 'import', join(dir, 'games.txt'), '--category', 'games')).code,
      0,
    )
    const acknowledged: string[] = []
    const click = async (product: Product, host: string): Promise<void> => {
      const { stdout } = await ask(product, host)
      if (stdout.endsWith('\n200')) acknowledged.push(host)
    }
    const isBlocked = async (product: Product, host: string): Promise<boolean> =>
      (
        await runProgram('curl', [
          '-sS',
          '-o',
          '/dev/null',
          '-w',
          '%{http_code}',
          '-m',
          '5',
          '-x',
          product.proxyUrl,
          `http://${host}/`,
        ])
      ).stdout === '403'
    const untilBlocked = async (product: Product, host: string): Promise<void> => {
      for (let i = 0; i < 300 && !(await isBlocked(product, host)); i++)
        await new Promise(resolve => setTimeout(resolve, 50))
    }
    for (const host of HOSTS.slice(0, 3)) {
      await untilBlocked(first, host)
      await click(first, host)
      for (const pid of first.children()) process.kill(pid, 'SIGKILL')
    }
    first.process.kill('SIGKILL')
    for (const host of HOSTS.slice(3)) {
      const product = await startProduct(t, { dir })
      await untilBlocked(product, host)
      await click(product, host)
      for (const pid of [...product.children(), product.process.pid ?? 0])
        process.kill(pid, 'SIGKILL')
    }
    t.equal(acknowledged.length, HOSTS.length, 'every click was answered')
    t.strictSame(await requestsIn(join(dir, 'data')), acknowledged.toSorted())
  },
)

t.test('a damaged database is refused in one clear line, and left as it is', async t => {
  const dir = t.testdir({
    data: { 'preau.db': 'this was a database once' },
    'config.json': '{"dataDir":"data"}',
  })
  const file = join(dir, 'data/preau.db')
  for (const args of [['start'], ['check', 'example.com'], ['policy', 'export']]) {
    const { code, stderr, stdout } = await runCli(join(dir, 'config.json'), args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, /^preau : La base .*preau\.db est endommagée .*sauvegarde.*\n$/)
    t.equal(stdout, '')
  }
  t.equal(readFileSync(file, 'utf8'), 'this was a database once')
  writeFileSync(file, '')
  t.equal(
    (await runCli(join(dir, 'config.json'), ['start'])).code,
    2,
    'an emptied one is no new one',
  )
  t.equal(readFileSync(file, 'utf8'), '')
})
