/** The life of an update at the command line, as a DSI types it. */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { runCli, writeConfig } from '../support/product.ts'

const names = (count: number): string =>
  Array.from({ length: count }, (_, i) => `g${i}.example\n`).join('')

t.test('an update waits, is shown, put in force, and taken back', async t => {
  const config = writeConfig(t.testdir(), {})
  const run = (...args: string[]) => runCli(config, args)
  const path = join(dirname(config), 'own.txt')
  const write = (text: string): void => writeFileSync(path, text)
  const load = (...more: string[]) =>
    run('lists', 'import', path, '--category', 'gambling', ...more)

  write(names(1_000))
  t.match(await load(), { code: 0, stdout: /1.000 domaines importés dans la liste « own »/ })
  t.match(await run('lists', 'diff'), { code: 2, stderr: /Aucune mise à jour/ })
  write(names(200))
  t.match(await load(), { code: 0, stdout: /perd \d+.% de ses sites[\s\S]*preau .*lists diff/ })
  t.match(await run('check', 'g900.example'), { code: 1 })
  t.match(await run('lists', 'diff'), { code: 0, stdout: /−800/ })
  t.match(await run('lists', 'activate'), { code: 0, stdout: /en service/ })
  t.match(await run('check', 'g900.example'), { code: 0 })
  t.match(await run('lists', 'rollback'), { code: 0, stdout: /Retour à la version/ })
  const checked = await run('check', 'g900.example')
  t.match(checked, { code: 1, stdout: /ligne 901 : g900\.example \(depuis le \d{4}/ })
  write(names(100))
  await load()
  t.match(await run('lists', 'discard'), { code: 0, stdout: /écartée/ })
  t.match(await run('lists', 'rebuild'), { code: 0, stdout: /reconstruit/ })
  t.match(await load('--activate', '--json'), { code: 0, stdout: /"kind": "activated"/ })
})
