/** Addresses that climb out of the folder of style sheets, or into what no page links to, find nothing. */
import t from 'tap'
import { openWorld } from '../admin/world.ts'
import { PortalWorld } from '../portal/portal-world.ts'
import { askRaw } from '../admin/raw.ts'

const CLIMBS = [
  '/assets/../../package.json',
  '/assets/../admin/layout.eta',
  '/assets/..%2f..%2fpackage.json',
  '/assets/%2e%2e/%2e%2e/package.json',
  '/assets/%2e%2e%2fadmin%2flayout.eta',
  '/assets/%252e%252e%252fpackage.json',
  '/assets/..%5c..%5cpackage.json',
  '/assets/..\\..\\package.json',
  '/assets/....//....//package.json',
  '/assets/%c0%ae%c0%ae/package.json',
  '/assets//etc/passwd',
  '/assets/admin.css%00.js',
  '/assets/admin.css\u0000',
  '/assets/admin.css.map',
  '/assets/admin.css~',
  '/assets/',
  '/assets',
  '/assets/.env',
  '/assets/.git/config',
  '/.git/config',
  '/.git/HEAD',
  '/.env',
  '/package.json',
  '/data/preau.db',
  '/../data/preau.db',
  '/views/admin/layout.eta',
  '/src/cli.ts',
  '/server-status',
  '/.well-known/security.txt',
  '/assets/../users',
  '/assets/%2e%2e/users',
  '/assets/../audit',
]

t.test('no climbing address finds a file, nor a page without session', async t => {
  const world = await openWorld(t)
  await world.app.listen({ host: '127.0.0.1', port: 0 })
  const ask = (path: string, method = 'GET'): Promise<string> =>
    askRaw(world, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  t.match(await ask('/assets/admin.css'), /^HTTP\/1\.1 200 /)
  for (const path of CLIMBS) {
    const answer = await ask(path)
    t.match(answer, /^HTTP\/1\.1 (?:400|403|404) /, JSON.stringify(path))
    t.notMatch(answer, /"dependencies"|root:x|<%|\[core\]|node_modules| at \w+ \(/, path)
    t.match(answer, /content-security-policy: default-src 'none'|content-length: 0/i, path)
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'TRACE', 'OPTIONS'])
    t.match(await ask('/assets/admin.css', method), /^HTTP\/1\.1 (?:400|404|415) /, method)
})

t.test('on a blocked site every address is the block page and nothing of ours', async t => {
  const world = await PortalWorld.open(t, { caPem: '-----BEGIN CERTIFICATE-----' })
  for (const path of [
    ...CLIMBS,
    '/.preau/../ca.pem',
    '/.preau/..%2fca.pem',
    '/ca.key',
    '/ca.pem',
  ]) {
    if (path.includes('\u0000')) continue
    const { status, body } = await world.ask(`http://jeux.example${path}`)
    t.equal(status, 403, path)
    t.notMatch(body, /BEGIN|"dependencies"|<%/, path)
  }
  for (const path of [
    '/ca.key',
    '/ca-key.pem',
    '/../ca/ca.key',
    '/.git/config',
    '/data/ca/ca-key.pem',
  ])
    t.equal((await world.ask(`http://preau.internal${path}`)).status, 404, path)
})
