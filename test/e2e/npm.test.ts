/** npm reads a registry and installs a package through the proxy: absolute-form in clear, a tunnel under TLS. */
import t from 'tap'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { runProgram, startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'

const NAME = 'registre.test'
const SCRIPT = 'module.exports = "bonjour"\n'

async function makePackage(): Promise<Buffer> {
  const archive = pack()
  archive.entry({ name: 'package/package.json' }, '{"name":"lecon","version":"1.2.3"}')
  archive.entry({ name: 'package/index.js' }, SCRIPT)
  archive.finalize()
  return gzipSync(await buffer(archive))
}

/** The two documents that npm asks of a registry: what a package has, and one version of it. */
const registry =
  (tarball: Buffer): RequestListener =>
  (request, response) => {
    if (request.url?.endsWith('.tgz')) response.end(tarball)
    else if (request.url !== '/lecon') response.writeHead(404).end('{}')
    else {
      const scheme = 'encrypted' in request.socket ? 'https' : 'http'
      const dist = {
        tarball: `${scheme}://${request.headers.host}/lecon/-/lecon-1.2.3.tgz`,
        integrity: `sha512-${createHash('sha512').update(tarball).digest('base64')}`,
      }
      const version = { name: 'lecon', version: '1.2.3', dist }
      response.setHeader('Content-Type', 'application/json')
      response.end(
        JSON.stringify({
          name: 'lecon',
          'dist-tags': { latest: '1.2.3' },
          versions: { '1.2.3': version },
        }),
      )
    }
  }

t.test('npm views and installs', async t => {
  const dir = t.testdir()
  const sites = await openSites(t, { dir, name: NAME }, registry(await makePackage()))
  const product = await startProduct(t, { dir, names: [NAME] })
  // Nothing of the machine's own npm: neither its files nor what an outer `npm test` hands down.
  const own = Object.keys(process.env).filter(name => /^npm_config_|_proxy$/i.test(name))
  const env = { ...Object.fromEntries(own.map(name => [name, undefined])), HOME: dir }
  const npm = (registryUrl: string, ...args: string[]) =>
    runProgram(
      'npm',
      [
        ...args,
        `--registry=${registryUrl}/`,
        `--proxy=${product.proxyUrl}`,
        `--https-proxy=${product.proxyUrl}`,
        '--noproxy=',
        `--cafile=${sites.caFile}`,
        `--userconfig=${join(dir, 'no-user')}`,
        `--globalconfig=${join(dir, 'no-global')}`,
        '--fetch-retries=0',
        '--no-audit',
        '--no-fund',
        '--no-update-notifier',
      ],
      '',
      env,
    )
  for (const [scheme, base] of [
    ['http', sites.http],
    ['https', sites.https],
  ] as const) {
    const at = join(dir, scheme)
    const cache = `--cache=${join(dir, `cache-${scheme}`)}`
    const view = await npm(base, 'view', 'lecon', 'version', cache)
    t.equal(view.stdout.trim(), '1.2.3', view.stderr)
    const install = await npm(base, 'install', 'lecon', cache, `--prefix=${at}`)
    t.equal(install.code, 0, install.stderr)
    t.equal(readFileSync(join(at, 'node_modules/lecon/index.js'), 'utf8'), SCRIPT)
  }
  await product.stop()
  const passed = product.accessLog().filter(({ host }) => host === NAME)
  t.ok(
    passed.some(({ method }) => method === 'GET'),
    'in clear',
  )
  t.ok(
    passed.some(({ method }) => method === 'CONNECT'),
    'in a tunnel',
  )
})
