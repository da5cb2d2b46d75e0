/** Sources as a DSI turns them on: one command, and the filter that runs follows. */
import t from 'tap'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { runCli, startProduct } from '../support/product.ts'
import { archiveBytes, ut1Entries } from '../categories/fixtures/archive.ts'
import { serveHttp } from '../updates/source-server.ts'

t.test('one command adds a source, fetches it, and the running filter follows', async t => {
  const archive = await archiveBytes(ut1Entries({ games: 'une-source.test\n', adult: 'x.test\n' }))
  const origin = await serveHttp(t, (request, response) => {
    if (request.headers['if-none-match'] === '"1"') response.writeHead(304).end()
    else response.writeHead(200, { etag: '"1"' }).end(archive)
  })
  const url = `${origin}/blacklists.tar.gz?key=secret`
  const product = await startProduct(t, { names: ['mirror.test'] })
  t.equal((await product.cli('check', 'une-source.test')).code, 0)
  const added = await product.cli('lists', 'source', 'add', 'city', url, '--now')
  t.equal(added.code, 0, added.stderr)
  t.match(added.stdout, /La source « city » est ajoutée[\s\S]*2 domaines importés dans la liste/)
  const blocked = await product.cli('check', 'une-source.test')
  t.equal(blocked.code, 1)
  t.match(blocked.stdout, /liste city/)
  const again = await product.cli('lists', 'fetch')
  t.match(again.stdout, /« city ».*rien de nouveau/)
  const metrics = await (await fetch(`${product.adminUrl}/metrics`)).text()
  t.match(metrics, /preau_list_hosts\{list="city"\} 2\n/)
  t.match(metrics, /preau_list_source_failures\{list="city"\} 0\n/)
  t.equal((await product.cli('lists', 'source', 'disable', 'city')).code, 0)
  t.match((await product.cli('lists', 'source', 'list')).stdout, /city .* arrêtée +http:/)
  t.match((await product.cli('lists', 'fetch')).stderr, /aucune source n’est active/)
  t.equal((await product.cli('lists', 'source', 'enable', 'city')).code, 0)
  const json: unknown = JSON.parse((await product.cli('lists', 'source', 'list', '--json')).stdout)
  t.match(json, [{ name: 'city', enabled: true, isFromConfig: false, status: { etag: '"1"' } }])
  t.equal((await product.cli('lists', 'source', 'remove', 'city')).code, 0)
  t.equal((await product.cli('check', 'une-source.test')).code, 1, 'its list stays in force')
})

t.test('UT1 needs its name only, and is not called before the night', async t => {
  const config = join(t.testdir({ 'config.json': '{}' }), 'config.json')
  const added = await runCli(config, ['lists', 'source', 'add', 'ut1'])
  t.equal(added.code, 0, added.stderr)
  t.match(added.stdout, /Elle sera interrogée le \d\d\/\d\d\/\d{4}.*preau .*lists fetch ut1/)
  const list = await runCli(config, ['lists', 'source', 'list'])
  t.match(list.stdout, /ut1 +— +\d\d\/\d\d.*active +https:\/\/dsi\.ut-capitole\.fr\//)
})

t.test('a source that fails is told in one line, and the others still have their turn', async t => {
  const origin = await serveHttp(t, (request, response) => {
    if (request.url === '/good') response.end('bon.test\n')
    else response.writeHead(404).end()
  })
  const dir = t.testdir()
  const config = join(dir, 'config.json')
  const source = (name: string) => ({
    name,
    url: `${origin}/${name}`,
    format: 'lines',
    category: 'games',
  })
  writeFileSync(
    config,
    JSON.stringify({
      dial: { hosts: { 'mirror.test': '127.0.0.1' } },
      lists: { sources: [source('bad'), source('good')] },
    }),
  )
  const fetched = await runCli(config, ['lists', 'fetch'])
  t.equal(fetched.code, 2)
  t.match(fetched.stdout, /1 domaines importés dans la liste « good »/)
  t.match(fetched.stderr, /^preau\s: Téléchargement impossible de .*\/bad : le serveur répond 404/)
  t.equal(fetched.stderr.trim().split('\n').length, 1)
  t.match((await runCli(config, ['lists', 'source', 'list'])).stdout, /bad .* en échec/)
  const rows: [string[], RegExp][] = [
    [['disable', 'bad'], /vient du fichier de configuration/],
    [['remove', 'nope'], /il n’y a pas de source « nope ». Sources : bad, good/],
    [['add', 'bad', 'http://a.test/'], /existe déjà/],
    [['add', 'new'], /il manque l’URL de « new ». Connues par leur nom : ut1/],
    [['add', 'preau', 'http://a.test/'], /n’est pas un nom de liste/],
    [['add', '../x', 'http://a.test/'], /n’est pas un nom de liste/],
    [['add', 'new', 'ftp://a.test/'], /n’est pas une adresse http/],
    [['add', 'new', 'ftp://u:p@a.test/'], /ftp:\/\/a\.test\/.*n’est pas une adresse http/],
    [['add', 'new', 'http://a.test/', '--format', 'zip'], /zip/],
    [['add', 'new', 'http://a.test/', '--category', 'jeux'], /la catégorie « jeux » n’existe pas/],
    [['add', 'new', 'http://a.test/', '--format', 'lines'], /ajoutez --category/],
    [['add', 'ut1', '--category', 'games'], /retirez --category/],
    [['frob'], /commande inconnue/],
  ]
  for (const [args, problem] of rows) {
    const answer = await runCli(config, ['lists', 'source', ...args])
    t.equal(answer.code, 2, args.join(' '))
    t.match(answer.stderr, problem)
    t.equal(answer.stderr.trim().split('\n').length, 1)
  }
})

t.test('a list behind a password comes by a command, and the password is not shown', async t => {
  const origin = await serveHttp(t, (request, response) => {
    if (request.headers.authorization === `Basic ${btoa('reader:s3cret')}`) response.end('a.test\n')
    else response.writeHead(401).end()
  })
  const product = await startProduct(t, { names: ['mirror.test'] })
  const url = `${origin.replace('://', '://reader:s3cret@')}/list.txt`
  const said: string[] = []
  const cli = async (...args: string[]) => {
    const done = await product.cli(...args)
    said.push(done.stdout, done.stderr)
    return done
  }
  t.equal((await cli('lists', 'import', url, '--category', 'games')).code, 0)
  t.equal((await cli('check', 'www.a.test')).code, 1)
  const wrong = await cli('lists', 'import', url.replace('http:', 'ftp:'), '--category', 'games')
  t.match(wrong.stderr, /n’est pas une adresse http/, 'told to be an address, not a file')
  t.equal((await cli('lists', 'source', 'add', 'x', url, '--category', 'games', '--now')).code, 0)
  t.match((await cli('lists', 'source', 'list')).stdout, /list\.txt \(avec identifiants\)/)
  t.match((await cli('lists', 'source', 'list', '--json')).stdout, /"hasCredentials": true/)
  await cli('lists', 'show', '--json')
  t.notMatch(said.join(), /s3cret/)
})

t.test(
  'an update that waits goes with the list or the index that it was tried against',
  async t => {
    const folder = t.testdir({ 'config.json': '{}', 'a.txt': 'a.test\n', 'b.txt': 'b.test\n' })
    const config = join(folder, 'config.json')
    const cli = async (...args: string[]) => runCli(config, args)
    const bring = (file: string, ...more: string[]) =>
      cli('lists', 'import', join(folder, file), '--name', 'x', '--category', 'games', ...more)
    for (const command of [['rebuild'], ['remove', 'x']]) {
      t.equal((await bring('a.txt', '--activate')).code, 0)
      t.equal((await bring('b.txt', '--hold')).code, 0)
      t.equal((await cli('lists', ...command)).code, 0)
      t.match((await cli('lists', 'diff')).stderr, /aucune mise à jour/i, command.join(' '))
    }
  },
)
