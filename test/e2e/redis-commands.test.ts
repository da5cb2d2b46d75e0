/** `preau store copy` and `preau store check` as a DSI runs them: the way to Redis and back, and what is wrong told in one line. */
import t from 'tap'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startRedis } from '../support/redis.ts'
import { runCli, writeConfig } from '../support/product.ts'

const PASSWORD = 'un mot de passe'

t.test('a city moves to Redis and back, and nothing has changed', async t => {
  const dir = t.testdir()
  const server = await startRedis(t)
  const embedded = writeConfig(dir, {})
  t.equal((await runCli(embedded, ['user', 'add', 'claire'], `${PASSWORD}\n`)).code, 0)
  const before = JSON.parse((await runCli(embedded, ['policy', 'export'])).stdout) as object

  const there = await runCli(embedded, ['store', 'copy', 'sqlite', server.url])
  t.equal(there.code, 0, there.stderr)
  t.match(there.stdout, /copiés dans redis:.* identiques[^]*"store": "redis:[^]*data\/lists/)
  const shared = writeConfig(dir, { config: { store: server.url } })
  t.strictSame(JSON.parse((await runCli(shared, ['policy', 'export'])).stdout), before)
  t.match((await runCli(shared, ['user', 'add', 'claire'], `${PASSWORD}\n`)).stderr, /existe déjà/)

  const sound = await runCli(shared, ['store', 'check'])
  t.equal(sound.code, 0, sound.stdout)
  t.match(sound.stdout, /Redis \d[^]*user 1[^]*✓ Rien à changer/)

  rmSync(join(dir, 'data/preau.db'))
  const back = await runCli(shared, ['store', 'copy', 'current', 'sqlite'])
  t.equal(back.code, 0, back.stderr)
  const digest = /empreinte ([0-9a-f]+)/
  t.equal(digest.exec(back.stdout)?.[1], digest.exec(there.stdout)?.[1])
  writeConfig(dir, {})
  t.strictSame(JSON.parse((await runCli(embedded, ['policy', 'export'])).stdout), before)
})

t.test(
  'a Redis that is weaker than promised is told with what to change, and the exit code says it',
  async t => {
    const weak = await startRedis(t, { appendfsync: 'everysec' })
    const config = writeConfig(t.testdir(), { config: { store: weak.url } })
    t.equal((await runCli(config, ['policy', 'export'])).code, 0)
    const { code, stdout } = await runCli(config, ['store', 'check'])
    t.equal(code, 1)
    t.match(stdout, /! Redis répond avant d’avoir écrit .*everysec.* « appendfsync always »/)
    weak.cli('CONFIG', 'SET', 'appendonly', 'no')
    const json = await runCli(config, ['store', 'check', '--json'])
    t.equal(json.code, 1)
    t.match(JSON.parse(json.stdout), { engine: 'Redis', warnings: [{ code: 'appendonly-off' }] })
  },
)

t.test('what cannot be copied or checked is told in one line, without a password', async t => {
  const dir = t.testdir({ 'text.db': 'a letter' })
  const config = writeConfig(dir, {})
  const path = (name: string): string => join(dir, name)
  const rows: [string[], RegExp][] = [
    [['store'], /« store » demande une suite : copy, check/],
    [['store', 'copy', 'sqlite'], /il manque VERS/],
    [['store', 'copy', 'sqlite', path('copy.db')], /preau\.db ne peut pas être ouverte/],
    [['store', 'copy', path('text.db'), path('copy.db')], /text\.db est endommagée/],
    [
      ['store', 'copy', path('text.db'), 'mysql://root:secret@db/preau'],
      /mysql:\/\/db\/preau.*redis:/,
    ],
    [['store', 'copy', 'redis://u:se/cret@127.0.0.1:1', path('copy.db')], /connexion refusée/],
    [['store', 'copy', 'redis://127.0.0.1:1', path('copy.db')], /connexion refusée/],
    [['store', 'check'], /preau\.db ne peut pas être ouverte/],
  ]
  for (const [args, text] of rows) {
    const { code, stderr, stdout } = await runCli(config, args)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, text)
    t.notMatch(stderr + stdout, /se.?cret/)
    t.equal(stderr.trim().split('\n').length, 1, 'one line')
  }
  t.strictSame(
    readdirSync(dir).filter(name => name.includes('copy')),
    [],
  )
  t.notOk(existsSync(path('data/preau.db')), 'asking makes no store')
})
