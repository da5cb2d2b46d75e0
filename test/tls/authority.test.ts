import { execFileSync, spawn } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parseHost, type Host } from '../../src/policy/host.ts'
import { openAuthority } from '../../src/tls/authority.ts'
// After the authority, which prepares what it needs.
import { SubjectAlternativeNameExtension, X509Certificate as ReadCertificate } from '@peculiar/x509'

const NOW = Date.now()
const DAY_MS = 86_400_000
const city = { cityName: 'Saint-Étienne-lès-Remiremont', now: NOW }

function host(text: string): Host {
  const parsed = parseHost(text)
  if (parsed === undefined) throw new Error(`not a host: ${text}`)
  return parsed
}

const LONG = host(`${'a23456789.'.repeat(25)}fr1`)
const HOSTS = ['www.jeux.example', 'mon_site.jeux.example', '192.0.2.7', '[2001:db8::7]'].map(host)
HOSTS.push(LONG)

const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8' })

const mode = (path: string): number => fs.statSync(path).mode & 0o777

const pem = (type: 'rsa' | 'ec') =>
  (type === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  ).privateKey.export({ type: 'pkcs8', format: 'pem' })

async function opened(t: Test) {
  const dir = join(t.testdir(), 'ca')
  return { dir, authority: await openAuthority(dir, city) }
}

t.test('the authority is made once, for its owner only, and found again', async t => {
  const { dir, authority } = await opened(t)
  t.equal(mode(dir), 0o700)
  t.equal(mode(join(dir, 'ca.key')), 0o600)
  t.equal(mode(join(dir, 'ca.pem')), 0o644)
  t.same(fs.readdirSync(dir).sort(), ['ca.key', 'ca.pem'], 'no temporary file is left')
  t.equal(authority.wasKeyExposed, false)
  t.equal(authority.caPem, fs.readFileSync(join(dir, 'ca.pem'), 'utf8'))
  t.match(fs.readFileSync(join(dir, 'ca.key'), 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/)
  const again = await openAuthority(dir, { ...city, cityName: 'Autre' })
  t.equal(again.fingerprint256, authority.fingerprint256)
})

t.test('the authority may sign leaves and nothing else', async t => {
  const { dir, authority } = await opened(t)
  const certificate = new X509Certificate(authority.caPem)
  t.match(authority.fingerprint256, /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
  t.equal(authority.fingerprint256, certificate.fingerprint256)
  t.ok(certificate.ca)
  t.ok(certificate.verify(certificate.publicKey), 'signed by itself')
  t.same(certificate.subject.split('\n'), [
    'O=Saint-Étienne-lès-Remiremont',
    'CN=Préau – Saint-Étienne-lès-Remiremont',
  ])
  const text = openssl('x509', '-in', join(dir, 'ca.pem'), '-noout', '-text')
  t.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/)
  t.match(text, /Key Usage: critical\s+Certificate Sign\n/)
  t.match(text, 'X509v3 Subject Key Identifier')
  t.match(text, 'NIST CURVE: P-256')
  t.equal(Math.round((NOW - certificate.validFromDate.getTime()) / DAY_MS), 1)
  t.equal(Math.round((authority.notAfter - NOW) / DAY_MS), 5 * 365)
})

t.test('a city name may hold anything', async t => {
  for (const cityName of ['#04', 'A+B, "C"; \\ <D>=E', 'ligne\nligne\u0000', 'é'.repeat(200)]) {
    const { caPem } = await openAuthority(join(t.testdir(), 'ca'), { cityName, now: NOW })
    const expected = cityName.replaceAll(/\p{Cc}/gu, ' ').slice(0, 64)
    const { subject } = new X509Certificate(caPem).toLegacyObject()
    t.equal((subject as { O?: string }).O, expected)
  }
})

t.test('a leaf names exactly its host, and verifies', async t => {
  const { dir, authority } = await opened(t)
  for (const name of HOSTS) {
    const { certPem, keyPem, notAfter } = await authority.issueLeaf(name, NOW)
    const leaf = new X509Certificate(certPem)
    const ca = new X509Certificate(authority.caPem)
    t.ok(leaf.checkIssued(ca) && leaf.verify(ca.publicKey), `${name}: signed by the authority`)
    t.ok(leaf.checkPrivateKey(createPrivateKey(keyPem)), `${name}: with its key`)
    t.equal(leaf.ca, false)
    t.same(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1'], `${name}: for servers only`)
    t.equal(namesOf(leaf), sanOf(name))
    t.equal(leaf.subject ?? '', name.length > 64 ? '' : `CN=${name}`)
    t.equal(leaf.validToDate.getTime(), notAfter)

    const file = join(dir, 'leaf.pem')
    fs.writeFileSync(file, certPem)
    const caFile = join(dir, 'ca.pem')
    const kind = /^[\d.]+$|:/.test(name) ? '-verify_ip' : '-verify_hostname'
    const strict = ['-x509_strict', '-purpose', 'sslserver', '-CAfile', caFile]
    t.match(openssl('verify', ...strict, kind, name, file), 'OK', `${name}: openssl agrees`)
    const text = openssl('x509', '-in', file, '-noout', '-text')
    t.match(text, /Key Usage: critical\s+Digital Signature\n/)
    t.match(text, /Basic Constraints: critical\s+CA:FALSE\n/)
    t.match(text, 'X509v3 Authority Key Identifier')
    t.match(text, 'X509v3 Subject Key Identifier')
    const critical = name.length > 64
    t.equal(/Subject Alternative Name: critical/.test(text), critical, 'critical if alone')
  }
})

function sanOf(name: Host): string {
  if (name === '2001:db8::7') return 'IP Address:2001:DB8:0:0:0:0:0:7'
  return name === '192.0.2.7' ? `IP Address:${name}` : `DNS:${name}`
}
const namesOf = (leaf: X509Certificate): string | undefined => leaf.subjectAltName

t.test('names of every length make a certificate that says them', async t => {
  const { authority } = await opened(t)
  const ca = new X509Certificate(authority.caPem)
  const pattern = 'a23456789.'.repeat(26)
  const wrong: string[] = []
  for (let length = 1; length <= 253; length++) {
    const text = pattern.slice(0, length)
    const name = host(text.endsWith('.') ? `${text.slice(0, -1)}a` : `${text.slice(0, -1)}b`)
    const { certPem } = await authority.issueLeaf(name, NOW)
    const leaf = new X509Certificate(certPem)
    const isRight = leaf.verify(ca.publicKey) && leaf.subjectAltName === `DNS:${name}`
    // Read by another library too.
    const read = new ReadCertificate(certPem).getExtension(SubjectAlternativeNameExtension)
    const isReadAlike = read?.names.items.map(({ value }) => value).join() === name
    if (!isRight || !isReadAlike) wrong.push(name)
  }
  t.same(wrong, [])
})

t.test('a leaf that ends after 2049 has the dates it should', async t => {
  const now = Date.UTC(2049, 11, 1)
  const authority = await openAuthority(join(t.testdir(), 'ca'), { ...city, now })
  const leaf = new X509Certificate((await authority.issueLeaf(host('a.example'), now)).certPem)
  t.equal(leaf.validFromDate.toISOString(), '2049-11-29T00:00:00.000Z')
  t.equal(leaf.validToDate.toISOString(), '2050-02-27T00:00:00.000Z')
})

t.test(
  'a leaf suits clocks that are a day wrong, lasts 90 days, never beyond the authority',
  async t => {
    const { authority } = await opened(t)
    const lifeOf = async (now: number) => {
      const { certPem } = await authority.issueLeaf(host('a.example'), now)
      const { validFromDate, validToDate } = new X509Certificate(certPem)
      return { from: validFromDate.getTime(), to: validToDate.getTime() }
    }
    const now = await lifeOf(NOW)
    t.ok(now.from <= NOW - DAY_MS)
    t.ok(now.to > NOW + 30 * DAY_MS)
    t.ok(now.to - now.from <= 90 * DAY_MS)
    const late = await lifeOf(authority.notAfter - DAY_MS)
    t.equal(late.to, authority.notAfter)
    await t.rejects(authority.issueLeaf(host('a.example'), authority.notAfter), {
      code: 'PREAU_CA_UNREADABLE',
    })
  },
)

t.test('no two leaves have the same serial, also for one host', async t => {
  const { authority } = await opened(t)
  const serials = new Set<string>()
  for (let i = 0; i < 50; i++) {
    const { certPem } = await authority.issueLeaf(host(`a${i % 25}.example`), NOW)
    serials.add(new X509Certificate(certPem).serialNumber)
  }
  t.equal(serials.size, 50)
  t.ok(
    [...serials].every(serial => /^[4-7][0-9A-F]{31}$/.test(serial)),
    '128 bits and positive',
  )
})

t.test('all leaves of a process have one key, which is stored nowhere', async t => {
  const { dir, authority } = await opened(t)
  const one = await authority.issueLeaf(host('a.example'), NOW)
  const two = await authority.issueLeaf(host('b.example'), NOW)
  t.equal(one.keyPem, two.keyPem)
  t.not(one.keyPem, fs.readFileSync(join(dir, 'ca.key'), 'utf8'))
  const other = await (await openAuthority(dir, city)).issueLeaf(host('a.example'), NOW)
  t.not(other.keyPem, one.keyPem)
})

t.test('a key that others could read is hidden from them, and that is told', async t => {
  const { dir } = await opened(t)
  const keyFile = join(dir, 'ca.key')
  fs.chmodSync(keyFile, 0o644)
  t.equal((await openAuthority(dir, city)).wasKeyExposed, true)
  t.equal(fs.statSync(keyFile).mode & 0o777, 0o600)
  fs.chmodSync(keyFile, 0o640)
  t.equal((await openAuthority(dir, city)).wasKeyExposed, false)
  t.equal(fs.statSync(keyFile).mode & 0o777, 0o640, 'a group stays')
})

t.test(
  'a stop between the two files heals: a certificate is made for the key that is there',
  async t => {
    const { dir } = await opened(t)
    const key = fs.readFileSync(join(dir, 'ca.key'))
    fs.rmSync(join(dir, 'ca.pem'))
    const { caPem } = await openAuthority(dir, city)
    t.ok(fs.readFileSync(join(dir, 'ca.key')).equals(key))
    t.ok(new X509Certificate(caPem).checkPrivateKey(createPrivateKey(key)))
  },
)

t.test('damaged or foreign files are refused and not touched', async t => {
  const { dir } = await opened(t)
  const [keyFile, caFile] = [join(dir, 'ca.key'), join(dir, 'ca.pem')]
  const healthy = new Map([keyFile, caFile].map(file => [file, fs.readFileSync(file)]))
  const { certPem } = await (await openAuthority(dir, city)).issueLeaf(host('a.example'), NOW)
  const cases: [title: string, file: string, content: string | null, blamed: string][] = [
    ['an empty key', keyFile, '', keyFile],
    ['a key that is text', keyFile, 'bonjour', keyFile],
    ['the key of another authority', keyFile, pem('ec'), caFile],
    ['an RSA key', keyFile, pem('rsa'), keyFile],
    ['a missing key', keyFile, null, keyFile],
    ['an empty certificate', caFile, '', caFile],
    ['a truncated certificate', caFile, String(healthy.get(caFile)).slice(0, 300), caFile],
    ['a certificate that is no authority', caFile, certPem, caFile],
  ]
  for (const [title, file, content, blamed] of cases) {
    if (content === null) fs.rmSync(file)
    else fs.writeFileSync(file, content)
    const expected = { code: 'PREAU_CA_UNREADABLE', params: { file: blamed } }
    await t.rejects(openAuthority(dir, city), expected, title)
    const left = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null
    t.equal(left, content, `${title}: as it was`)
    for (const [path, bytes] of healthy) fs.writeFileSync(path, bytes, { mode: 0o600 })
  }
  await t.resolves(openAuthority(dir, city))
})

t.test('an authority past its end is refused, saying since when', async t => {
  const { dir, authority } = await opened(t)
  const expected = { code: 'PREAU_CA_UNREADABLE', message: /expired on \d{4}-.*ca renew/ }
  await t.rejects(openAuthority(dir, { ...city, now: authority.notAfter }), expected)
})

t.test('processes that make the authority at once agree on one', async t => {
  const script = fileURLToPath(new URL('fixtures/open-authority.ts', import.meta.url))
  const dir = join(t.testdir(), 'ca')
  const children = [1, 2, 3].map(() => {
    const child = spawn(process.execPath, [script, dir, String(NOW)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
  })
  await Promise.all(children.map(({ lines }) => lines.next()))
  for (const { child } of children) child.stdin.write('go\n')
  const said = await Promise.all(children.map(async ({ lines }) => (await lines.next()).value))
  t.match(said[0], /^[0-9A-F:]{95}$/)
  t.same(said, [said[0], said[0], said[0]])
  await Promise.all(
    children.map(async ({ child }) => child.exitCode ?? (await once(child, 'exit'))),
  )
  const again = await openAuthority(dir, city)
  t.equal(again.fingerprint256, said[0])
  t.same(fs.readdirSync(dir).sort(), ['ca.key', 'ca.pem'])
})
