/** The command line as a DSI uses it: every command, and every mistake answered in one line. */
import t from 'tap'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { globSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCli, runProgram, startProduct } from '../support/product.ts'

const PASSWORD = 'correct horse battery'

t.test('preau check explains what the filter answers, and its exit code says it', async t => {
  const config = join(t.testdir({ 'config.json': '{}' }), 'config.json')
  const check = (...args: string[]) => runCli(config, ['check', ...args])
  const allowed = await check('fr.wikipedia.org')
  t.equal(allowed.code, 0)
  t.match(allowed.stdout, /poste d’une école quelconque[\s\S]*✓ autorisé/)
  const known = await check('fr.wikipedia.org', '--ip', '127.0.0.1')
  t.match(known.stdout, /École de démonstration, Salle de démonstration[\s\S]*✓ autorisé/)
  const blocked = await check('https://www.Miniclip.com/games?x', '--ip', '10.1.2.3')
  t.equal(blocked.code, 1)
  t.match(blocked.stdout, /www\.miniclip\.com:443/)
  t.match(blocked.stdout, /✗ +catégorie bloquée +bloqué +← décide/)
  t.match(
    blocked.stdout,
    /✗ bloqué : Jeux en ligne \(games\)\n.*liste preau, fichier .*games\.txt, ligne \d+ : miniclip\.com/,
  )
  const never = await check('pornhub.com')
  t.equal(never.code, 1)
  t.match(never.stdout, /✗ +catégorie jamais débloquée/)
  t.equal((await check('192.168.1.1')).code, 1)
  const json = await check('www.miniclip.com', '--json')
  t.match(JSON.parse(json.stdout), {
    verdict: { action: 'block', reason: 'blocked-category', category: 'games' },
    matches: [{ list: 'preau' }],
  })
  t.match(
    (await check('fr.wikipedia.org', '--ip', '8.8.8.8')).stdout,
    /réseau inconnu · profil pupils/,
  )
})

t.test('a mistake is answered in one line and changes nothing', async t => {
  const dir = t.testdir({
    'config.json': '{}',
    'bad.json': '{"version":1}',
    'broken.json': '{',
    'escape.json': '{"\u001b[31m',
    'list.json': '[]',
    'empty.txt': '',
    'wrong.json': '{"prxy":1}',
    'page.html': '<html>\n<body>404</body>\n',
  })
  const config = join(dir, 'config.json')
  const rows: [string[], RegExp][] = [
    [['frobnicate'], /commande inconnue/],
    [['check'], /il manque HÔTE. Usage : .*preau.* check HÔTE/],
    [['check', 'a.test', 'b.test'], /argument en trop : b\.test/],
    [['check', 'a b'], /n’est pas un nom d’hôte/],
    [['check', '127.1'], /n’est pas un nom d’hôte/],
    [['check', 'a.test', '--ip', 'x'], /n’est pas une adresse IP/],
    [['check', 'a.test', '--category', 'games'], /--category ne va pas avec cette commande/],
    [['check', 'a.test', '--frob'], /frob/],
    [['lists', 'import', join(dir, 'absent.tar.gz')], /absent\.tar\.gz/],
    [['lists', 'import', join(dir, 'page.html'), '--category', 'games'], /page\.html/],
    [
      ['lists', 'import', join(dir, 'page.html'), '--category', 'jeux-video'],
      /la catégorie « jeux-video » n’existe pas/,
    ],
    [['lists', 'remove', 'nope'], /il n’y a pas de liste « nope »/],
    [['lists', 'remove', 'preau'], /fournie avec Préau/],
    [['policy', 'import', join(dir, 'bad.json')], /Politique refusée : city/],
    [['policy', 'import', join(dir, 'broken.json')], /broken\.json ne peut pas être lu/],
    [['policy', 'import', join(dir, 'absent.json')], /absent\.json ne peut pas être lu/],
    [['user', 'add', 'x', '--role', 'god'], /le rôle « god » n’existe pas/],
    [['user', 'passwd', 'nobody'], /nobody|Introuvable/],
    [['user', 'add', 'system'], /L’identifiant/],
    [['toString'], /commande inconnue : toString/],
    [['check', '--ip'], /il manque une valeur après --ip/],
    [['check', 'a.test', '--ip', '--json'], /il manque une valeur après --ip/],
    [['check', 'a.test', '--json=1'], /--json ne prend pas de valeur/],
    [['lists'], /« lists » demande une suite : import, show/],
    [['lists', 'source'], /demande une suite : add, list, enable/],
    [['lists', 'imprt', 'x'], /Vouliez-vous dire « lists import »/],
    [['check', 'a.test', '--jsn'], /option inconnue : --jsn. Vouliez-vous dire « --json »/],
    [['policy', 'import', dir], /c’est un dossier/],
    [['policy', 'import', '/dev/zero'], /plus de 64 Mo/],
    [['policy', 'import', join(dir, 'escape.json')], /pas du JSON valable/],
    [['policy', 'import', join(dir, 'list.json')], /attendu : un objet {…}, et non \[\]/],
    [['lists', 'import', join(dir, 'a\u001b[31m\nb')], /fichier ou dossier introuvable/],
    [['lists', 'import', dir, '--category', 'games'], /nomme lui-même ses catégories/],
    [['lists', 'import', join(dir, 'empty.txt'), '--category', 'games'], /aucun domaine/],
  ]
  for (const [args, text] of rows) {
    const { code, stderr } = await runCli(config, args, PASSWORD)
    t.equal(code, 2, args.join(' '))
    t.match(stderr, text)
    t.equal(stderr.trim().split('\n').length, 1, 'one line')
    t.notMatch(stderr, '\u001b', 'nothing that steers the terminal')
  }
  const wrong = await runCli(join(dir, 'wrong.json'), ['check', 'a.test'])
  t.equal(wrong.code, 2)
  t.match(
    wrong.stderr,
    /prxy.*dataDir, store, redis, workers, proxy, admin, dial, parents, lists, limits/,
  )
  t.match(
    (await runCli(config, ['lists', 'show'])).stdout,
    /^liste[^\n]*\npreau [^\n]*\n$/,
    'only the starter lists are there',
  )
})

t.test('the policy goes out, comes back, and its differences are shown before', async t => {
  const dir = t.testdir({ 'config.json': '{}' })
  const config = join(dir, 'config.json')
  const file = join(dir, 'policy.json')
  t.equal((await runCli(config, ['policy', 'export', file])).code, 0)
  t.equal((await runCli(config, ['policy', 'export'])).stdout, readFileSync(file, 'utf8'))
  t.match((await runCli(config, ['policy', 'import', file])).stdout, /Aucune différence/)
  const policy = JSON.parse(readFileSync(file, 'utf8')) as {
    city: { name: string }
    rules: object[]
  }
  policy.city.name = 'Ville de Testville'
  policy.rules.push({ host: 'www.miniclip.com', action: 'allow' })
  writeFileSync(file, JSON.stringify(policy))
  const dry = await runCli(config, ['policy', 'import', file, '--dry-run'])
  t.match(
    dry.stdout,
    /~ city\.name : "Ville de démonstration" → "Ville de Testville"[\s\S]*\+ rules\.www\.miniclip\.com[\s\S]*Rien n’a été modifié/,
  )
  t.equal((await runCli(config, ['check', 'www.miniclip.com'])).code, 1)
  t.equal((await runCli(config, ['policy', 'import', file])).code, 0)
  t.equal((await runCli(config, ['check', 'www.miniclip.com'])).code, 0)
  policy.rules.unshift({ host: 'www.miniclip.com', action: 'block' })
  writeFileSync(file, `\uFEFF${JSON.stringify(policy)}`)
  t.equal((await runCli(config, ['policy', 'import', file])).code, 0)
  t.equal(
    (await runCli(config, ['check', 'www.miniclip.com'])).code,
    1,
    'a second rule of the same host is not taken for no difference',
  )
})

t.test('an index that has vanished is built anew, imported lists included', async t => {
  const dir = t.testdir({ 'config.json': '{}', 'local.txt': 'game.test\n' })
  const config = join(dir, 'config.json')
  await runCli(config, ['lists', 'import', join(dir, 'local.txt'), '--category', 'games'])
  for (const index of globSync(join(dir, 'data/lists/*.bin'))) rmSync(index)
  t.equal((await runCli(config, ['check', 'www.game.test'])).code, 1)
})

t.test('a second start is refused, and the first one goes on as if nothing was', async t => {
  const first = await startProduct(t)
  const port = Number(new URL(first.proxyUrl).port)
  const { dataDir } = first
  const config = join(dataDir, '../second.json')
  writeFileSync(config, JSON.stringify({ dataDir, proxy: { port }, admin: { port: 0 } }))
  const second = await runCli(config, ['start'])
  t.equal(second.code, 2)
  t.match(second.stderr, /est déjà utilisé/)
  const setup = await fetch(first.setupUrl ?? '')
  t.equal(setup.status, 200, 'its one-time link still works')
  writeFileSync(config, JSON.stringify({ dataDir, proxy: { host: '192.0.2.1', port: 0 } }))
  const third = await runCli(config, ['start'])
  t.equal(third.code, 2)
  t.match(
    third.stderr,
    /^preau\s: Impossible d’écouter sur 192\.0\.2\.1, port 0 \(adresse absente de cette machine.*\n$/,
  )
})

t.test('a start that fails leaves nothing behind, neither a CA nor a folder', async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  const dir = t.testdir({ file: '' })
  const rows: [object, RegExp][] = [
    [{ proxy: { port } }, /Le port \d+ de 127\.0\.0\.1 est déjà utilisé.*changez proxy\.port/],
    [{ proxy: { port: 0 }, admin: { port } }, /est déjà utilisé.*changez admin\.port/],
    [{ proxy: { port: 0 }, admin: { host: '192.0.2.1' } }, /192\.0\.2\.1.*vérifiez admin\.host/],
    [{ proxy: { port: 0 }, admin: { host: 'example.com' } }, /admin\.host.*et non "example\.com"/],
    [{ proxy: { port: 8080 }, admin: { port: 8080 } }, /admin\.port.*le même que proxy\.port/],
    [{ dataDir: 'file/data' }, /un élément du chemin n’est pas un dossier/],
    [{ store: 'redis://127.0.0.1:1' }, /connexion refusée 127\.0\.0\.1:1/],
  ]
  for (const [config, text] of rows) {
    const file = join(dir, 'config.json')
    const ports = { proxy: { port: 0 }, admin: { port: 0 } }
    writeFileSync(file, JSON.stringify({ dataDir: 'made/data', ...ports, ...config }))
    const { code, stderr } = await runCli(file, ['start'])
    t.equal(code, 2)
    t.match(stderr.replaceAll(/\s/g, ' '), text)
    t.equal(stderr.trim().split('\n').length, 1, stderr)
    t.strictSame(readdirSync(dir).sort(), ['config.json', 'file'])
  }
})

t.test('lists are imported, shown, explained and removed', async t => {
  const dir = t.testdir({
    'config.json': '{}',
    'local.txt': '# the city’s own\ngame.test\n*.Other.test\nnot a domain\n',
  })
  const config = join(dir, 'config.json')
  const imported = await runCli(config, [
    'lists',
    'import',
    join(dir, 'local.txt'),
    '--category',
    'games',
  ])
  t.equal(imported.code, 0, imported.stderr)
  t.match(imported.stdout, /2 domaines importés dans la liste « local »/)
  t.match((await runCli(config, ['lists', 'show'])).stdout, /\nlocal +.* 2 +1 +1 /)
  t.match(
    (await runCli(config, ['check', 'www.game.test'])).stdout,
    /liste local, fichier .*, ligne 2 : game\.test/,
  )
  t.equal((await runCli(config, ['lists', 'remove', 'local'])).code, 0)
  t.equal((await runCli(config, ['check', 'www.game.test'])).code, 0)
})

t.test('accounts and the certificate are made from the command line', async t => {
  const dir = t.testdir({ 'config.json': '{}' })
  const config = join(dir, 'config.json')
  t.match(
    (await runCli(config, ['user', 'add', 'alice'], `${PASSWORD}\n`)).stdout,
    /« alice » \(dsi\) est créé/,
  )
  t.equal(
    (await runCli(config, ['user', 'add', 'Alice'], `${PASSWORD}\n`)).code,
    2,
    'a name is taken whatever its case',
  )
  t.equal(
    (await runCli(config, ['user', 'add', 'bob', '--role', 'reader'], 'short\n')).code,
    2,
    'a short password',
  )
  t.equal((await runCli(config, ['user', 'add', 'bob'], '')).code, 2, 'no password')
  t.match(
    (await runCli(config, ['user', 'passwd', 'alice'], 'another long password\n')).stdout,
    /« alice » est changé/,
  )
  t.match((await runCli(config, ['ca', 'export'])).stdout, /^-----BEGIN CERTIFICATE-----/)
  const pem = join(dir, 'ville.pem')
  t.equal((await runCli(config, ['ca', 'export', pem])).code, 0)
  t.match(
    (await runProgram('openssl', ['x509', '-in', pem, '-noout', '-subject'])).stdout,
    /Ville de d/,
  )
  t.equal(statSync(join(dir, 'data/ca/ca.key')).mode & 0o777, 0o600)
})

t.test('the command works from any Node.js: it finds the one that comes with Préau', async t => {
  const launcher = join(import.meta.dirname, '../../src/preau.js')
  const { code, stdout } = await runProgram(process.execPath, [launcher, '--help'])
  t.equal(code, 0)
  t.match(stdout, /preau check/)
})
