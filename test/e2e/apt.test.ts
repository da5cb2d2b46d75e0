/** apt asks for several packages in one breath (pipelining); each must come whole and in its turn, none of the machine's touched. */
import t, { type Test } from 'tap'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { runProgram, startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'

const NAME = 'depot.test'
const PACKAGES = Array.from({ length: 8 }, (_, i) => `lecon${i}`)

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

/** A repository in one folder: the packages, their index, and the index of that. Answers its files by path. */
async function makeRepository(dir: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  let index = ''
  for (const name of PACKAGES) {
    const tree = join(dir, name)
    mkdirSync(join(tree, 'DEBIAN'), { recursive: true })
    const control = `Package: ${name}\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@t.test>\nDescription: leçon\n`
    writeFileSync(join(tree, 'DEBIAN/control'), control)
    writeFileSync(join(tree, 'lecon.bin'), randomBytes(20_000))
    const deb = join(dir, `${name}.deb`)
    await runProgram('dpkg-deb', ['--build', '--root-owner-group', tree, deb])
    const bytes = readFileSync(deb)
    files.set(`/${name}.deb`, bytes)
    index += `${control}Filename: ./${name}.deb\nSize: ${bytes.length}\nSHA256: ${sum(bytes)}\n\n`
  }
  const packages = Buffer.from(index)
  files.set('/Packages', packages)
  const release = `Date: ${new Date().toUTCString()}\nSHA256:\n ${sum(packages)} ${packages.length} Packages\n`
  return files.set('/Release', Buffer.from(release))
}

const serve =
  (files: ReadonlyMap<string, Buffer>): RequestListener =>
  ({ url = '' }, response) => {
    const body = files.get(url.replace('/./', '/'))
    response.writeHead(body === undefined ? 404 : 200, { 'Content-Length': body?.length ?? 0 })
    response.end(body)
  }

/** Stands before the proxy and looks on: the most requests that were under way at once on one connection. */
async function openWatch(t: Test, proxyPort: number) {
  const seen = { mostAtOnce: 0 }
  const server = createServer(client => {
    let waiting = 0
    const proxy = connect(proxyPort, '127.0.0.1')
    client.on('data', bytes => {
      waiting += bytes.toString('latin1').match(/^GET /gm)?.length ?? 0
      seen.mostAtOnce = Math.max(seen.mostAtOnce, waiting)
    })
    proxy.on('data', bytes => {
      waiting -= bytes.toString('latin1').match(/^HTTP\/1\.1 /gm)?.length ?? 0
    })
    for (const socket of [client, proxy]) socket.on('error', () => undefined)
    client.pipe(proxy).pipe(client)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** All that apt reads and writes, below one folder. */
function configure(dir: string, source: string, proxyUrl: string, caFile: string): string {
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'etc', 'debs'])
    mkdirSync(join(dir, folder), { recursive: true })
  writeFileSync(join(dir, 'state/status'), '')
  writeFileSync(join(dir, 'sources.list'), `deb [trusted=yes] ${source}/ ./\n`)
  const settings = {
    'Dir::State': join(dir, 'state'),
    'Dir::State::status': join(dir, 'state/status'),
    'Dir::Cache': join(dir, 'cache'),
    'Dir::Etc': join(dir, 'etc'),
    'Dir::Etc::sourcelist': join(dir, 'sources.list'),
    'Dir::Etc::parts': join(dir, 'etc'),
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '0',
    'Acquire::http::Pipeline-Depth': '5',
    'Acquire::http::Proxy': proxyUrl,
    'Acquire::https::Proxy': proxyUrl,
    'Acquire::https::CaInfo': caFile,
  }
  const file = join(dir, 'apt.conf')
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`)
  writeFileSync(file, lines.join(''))
  return file
}

t.test('apt updates and downloads, in clear with pipelining and in a tunnel', async t => {
  const dir = t.testdir({ repository: {} })
  const files = await makeRepository(join(dir, 'repository'))
  const sites = await openSites(t, { dir, name: NAME }, serve(files))
  const product = await startProduct(t, { dir, names: [NAME] })
  const watch = await openWatch(t, Number(new URL(product.proxyUrl).port))
  for (const source of [sites.http, sites.https]) {
    const at = join(dir, new URL(source).protocol.slice(0, -1))
    const config = configure(at, source, watch.url, sites.caFile)
    const apt = (...args: string[]) =>
      runProgram('sh', ['-c', `cd ${at}/debs && exec apt-get "$@"`, 'apt-get', ...args], '', {
        APT_CONFIG: config,
        http_proxy: '',
        https_proxy: '',
        no_proxy: '',
        LC_ALL: 'C',
      })
    const update = await apt('update', '-qq')
    t.equal(update.code, 0, update.stderr)
    const download = await apt('download', '-qq', ...PACKAGES)
    t.equal(download.code, 0, download.stderr)
    for (const name of PACKAGES) {
      const came = readFileSync(join(at, 'debs', `${name}_1.0_all.deb`))
      t.equal(sum(came), sum(files.get(`/${name}.deb`) ?? Buffer.alloc(0)), name)
    }
  }
  t.ok(watch.seen.mostAtOnce > 1, `${watch.seen.mostAtOnce} requests were under way at once`)
})
