/** Two whole installations, each with its own folder and ports, on one Redis: what a city with two machines has. */
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { AdminClient } from '../support/admin-client.ts'
import { runCli, runProgram, startProduct, writeConfig, type Product } from '../support/product.ts'
import { startRedis, type RedisServer } from '../support/redis.ts'

const SITE = 'lecon.test'
const PASSWORD = 'une phrase assez longue'

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<number> {
  const startedAt = performance.now()
  while (!(await isSo())) {
    if (performance.now() - startedAt > 30_000) throw new Error(`it never came to that: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return Math.round(performance.now() - startedAt)
}

/** A line to Redis that breaks once when so many bytes have come down it, and is away for a second. */
async function openBreakableLine(t: Test, port: number) {
  const sockets = new Set<Socket>()
  const line = { breakAfter: Infinity, breaks: 0 }
  const server = createServer(socket => {
    const redis = connect(port, '127.0.0.1')
    for (const one of [socket, redis]) {
      sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        sockets.delete(one)
        socket.destroy()
        redis.destroy()
      })
    }
    redis.on('data', data => {
      line.breakAfter -= data.length
      if (line.breakAfter > 0) return
      line.breakAfter = Infinity
      line.breaks++
      const { port: own } = server.address() as AddressInfo
      server.close()
      for (const one of sockets) one.destroy()
      setTimeout(() => server.listen(own, '127.0.0.1'), 1_000)
    })
    socket.pipe(redis)
    redis.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const one of sockets) one.destroy()
  })
  const { port: own } = server.address() as AddressInfo
  return { line, url: `redis://127.0.0.1:${own}` }
}

interface Pair {
  readonly redis: RedisServer
  readonly a: Product
  readonly b: Product
  readonly dirs: Readonly<Record<'a' | 'b', string>>
  readonly line: { breakAfter: number; breaks: number }
}

/** B reaches Redis by a line that may break. */
async function startPair(t: Test): Promise<Pair> {
  const root = mkdtempSync(join(tmpdir(), 'preau-pair-'))
  const dirs = { a: join(root, 'a'), b: join(root, 'b') }
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  const redis = await startRedis(t)
  const { line, url } = await openBreakableLine(t, redis.port)
  for (const dir of Object.values(dirs)) await runProgram('mkdir', ['-p', dir])
  const names = [SITE]
  const a = await startProduct(t, { dir: dirs.a, names, config: { store: redis.url } })
  const refused = runCli(writeConfig(dirs.b, { config: { store: url } }), ['start'])
  t.match(await refused, {
    code: 2,
    stderr: /^preau : Cette machine n’a pas l’autorité.*copiez le dossier .*\/b\/data\/ca depuis/,
  })
  cpSync(join(a.dataDir, 'ca'), join(dirs.b, 'data/ca'), { recursive: true })
  const b = await startProduct(t, { dir: dirs.b, names, config: { store: url } })
  return { redis, a, b, dirs, line }
}

const ask = async ({ proxyUrl }: Product, url: string, ...more: string[]): Promise<string> => {
  const args = ['-sS', '-m', '5', '-o', '/dev/null', '-w', '%{http_code}', '-x', proxyUrl]
  return (await runProgram('curl', [...args, ...more, url])).stdout
}

async function openSite(t: Test): Promise<string> {
  const site = createHttpServer((_request, response) => void response.end('open'))
  site.listen(0, '127.0.0.1')
  await once(site, 'listening')
  t.teardown(() => {
    site.closeAllConnections()
    site.close()
  })
  return `http://${SITE}:${(site.address() as AddressInfo).port}`
}

/** What a waiting page hears through a proxy, all of it. */
async function follow(t: Test, { proxyUrl }: Product, origin: string): Promise<() => string> {
  const { hostname, port } = new URL(proxyUrl)
  const path = `${origin}/.preau/follow`
  const request = get({ host: hostname, port, path, headers: { host: new URL(origin).host } })
  t.teardown(() => request.destroy())
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let heard = ''
  response.on('error', () => undefined)
  response.on('data', chunk => (heard += String(chunk)))
  return () => heard
}

/** The indexes in a data folder with their checksums. */
function indexesOf({ dataDir }: Product): Record<string, string> {
  const folder = join(dataDir, 'lists')
  const names = readdirSync(folder).filter(name => name.endsWith('.bin'))
  return Object.fromEntries(
    names.map(name => [
      name,
      createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    ]),
  )
}

t.test('a city with two machines', async t => {
  const pair = await startPair(t)
  const { a, b, dirs } = pair
  const origin = await openSite(t)
  const list = join(dirs.a, 'own.txt')
  const load = (product: Product, hosts: string, ...more: string[]) => {
    writeFileSync(list, hosts)
    return product.cli('lists', 'import', list, '--category', 'games', ...more)
  }

  await t.test('a list imported at one machine is in force at the other', async t => {
    t.equal(await ask(b, origin), '200')
    t.match(await load(a, `${SITE}\n`), { code: 0 })
    const ms = await until(async () => (await ask(b, origin)) === '403', 'in force at B')
    t.comment(
      `measured: a list imported at A is in force at B ${ms} ms after the command has ended`,
    )
    await until(() => Object.keys(indexesOf(a)).join() === Object.keys(indexesOf(b)).join(), 'same')
    t.strictSame(indexesOf(b), indexesOf(a), 'the same index, to the last byte')
    const checked = await b.cli('check', SITE)
    t.match(checked, { code: 1, stdout: /liste own, .*ligne 1 : lecon\.test/ })
  })

  await t.test('a click at A is decided in the admin app of B, and A opens by itself', async t => {
    const clicked = await runProgram('curl', [
      '-sS',
      '-x',
      a.proxyUrl,
      '-d',
      '',
      `${origin}/.preau/unblock`,
    ])
    t.equal(clicked.code, 0, clicked.stderr)
    const heard = await follow(t, a, origin)
    t.match(await runCli(b.configFile, ['user', 'add', 'Claire'], `${PASSWORD}\n`), { code: 0 })
    const browser = new AdminClient(b.adminUrl)
    t.equal((await browser.signIn('Claire', PASSWORD)).status, 303)
    await until(() => heard().includes('data:'), 'a first word to the page')
    const id = /id="r-([\w-]+)"/.exec((await browser.get('/')).body)?.[1] ?? ''
    const before = heard()
    const decided = await browser.post(`/requests/${id}/approve`, {
      scope: 'site',
      duration: 'hour',
    })
    t.equal(decided.status, 303)
    const opened = until(async () => (await ask(a, origin)) === '200', 'open at A')
    const told = await until(() => /ouvert|open/i.test(heard().slice(before.length)), 'told')
    t.comment(
      `measured: decided at B, the page at A hears it ${told} ms later, and opens after ${await opened} ms`,
    )
    await until(async () => (await ask(b, origin)) === '200', 'the same school at B')
  })

  await t.test('rolled back at B, A goes back too', async t => {
    await load(a, `${SITE}\nother.example\n`)
    t.match(await a.cli('check', 'other.example'), { code: 1 })
    t.match(await b.cli('check', 'other.example'), { code: 1 }, 'a command brings what it needs')
    t.match(await b.cli('lists', 'rollback'), { code: 0 })
    t.match(await a.cli('check', 'other.example'), { code: 0 })
    t.match(await load(b, `${SITE}\nthird.example\n`, '--hold'), { code: 0 })
    t.match(await a.cli('lists', 'diff'), { code: 0, stdout: /third\.example/ })
    t.match(await a.cli('lists', 'activate'), { code: 0 })
    t.match(await b.cli('check', 'third.example'), { code: 1 })
  })

  await t.test('a line to Redis that breaks in the middle of a fetch costs a delay', async t => {
    const { line } = pair
    const many = Array.from({ length: 300_000 }, (_, i) => `h${i}.example`)
    line.breakAfter = 1_500_000
    t.match(await load(a, [SITE, ...many].join('\n'), '--activate'), { code: 0 })
    const ms = await until(
      () => Object.keys(indexesOf(a)).every(name => name in indexesOf(b)),
      'fetched in spite of it',
    )
    t.equal(line.breaks, 1)
    t.comment(`measured: with a line that is away for a second, fetched after ${ms} ms`)
    const proxied = () => ask(b, 'http://h299999.example/')
    await until(async () => (await proxied()) === '403', 'in force at B')
    t.equal(await ask(b, origin), '200', 'and the grant still opens')
    await until(() => Object.keys(indexesOf(a)).join() === Object.keys(indexesOf(b)).join(), 'same')
    t.strictSame(indexesOf(b), indexesOf(a), 'the same files, to the last byte')
  })

  await t.test('each machine has the lines of its own PCs in its own log', async t => {
    const has = (one: typeof a, name: string): boolean =>
      one.accessLog().some(({ host }) => host === name)
    await until(() => has(a, SITE), 'what was asked for at A')
    await until(() => has(b, 'h299999.example'), 'what was asked for at B')
    t.notOk(has(a, 'h299999.example'))
  })
})

t.test('a second machine can be stopped, emptied and started again', async t => {
  const { a, b, dirs, redis } = await startPair(t)
  const list = join(dirs.a, 'own.txt')
  writeFileSync(list, 'a.example\n')
  await a.cli('lists', 'import', list, '--category', 'games')
  t.equal(await b.stop(), 0)
  rmSync(join(b.dataDir, 'lists'), { recursive: true })
  writeFileSync(list, 'b.example\n')
  await a.cli('lists', 'import', list, '--category', 'games', '--activate')
  const commits = redis.cli('get', '{preau}:seq')
  const again = await startProduct(t, { dir: dirs.b, config: { store: redis.url } })
  t.equal(
    await ask(again, 'http://b.example/'),
    '403',
    'what is in force is, from the first request',
  )
  t.match(await again.cli('check', 'b.example'), { code: 1 })
  const after = Number(redis.cli('get', '{preau}:seq'))
  // The link for the first account and the work of an hour are commits; lists are not among them.
  t.ok(after - Number(commits) <= 4, `${after - Number(commits)} commits`)
})
