/** What curl does by itself, and what people ask of it: each habit meets the origin as if no proxy stood between. */
import t from 'tap'
import { createHash, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { runProgram, startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'

const NAME = 'ent.test'
const LESSON = 'La leçon du jour. '.repeat(500)
const BYTES = randomBytes(300_000)

const twice = <T>(value: T): T[] => [value, value]
const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

const site: RequestListener = (request, response) => {
  const path = (request.url ?? '').split('?')[0]
  if (path === '/gzip') {
    const body = gzipSync(LESSON)
    response.writeHead(200, { 'Content-Encoding': 'gzip', 'Content-Length': body.length }).end(body)
  } else if (path === '/bytes') answerRange(request, response)
  else if (path === '/put') {
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => hash.update(chunk))
    request.on('end', () => response.end(`${request.method} ${hash.digest('hex')}`))
  } else if (path === '/fields') response.end(JSON.stringify(request.headers))
  else response.end(`page ${request.url}\n`)
}

const answerRange: RequestListener = (request, response) => {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  const start = Number(from ?? 0)
  const end = to ? Number(to) : BYTES.length - 1
  response.writeHead(from === undefined ? 200 : 206, {
    'Content-Length': end + 1 - start,
    'Accept-Ranges': 'bytes',
    ...(from === undefined ? {} : { 'Content-Range': `bytes ${start}-${end}/${BYTES.length}` }),
  })
  response.end(request.method === 'HEAD' ? undefined : BYTES.subarray(start, end + 1))
}

t.test('the habits of curl', async t => {
  const dir = t.testdir()
  const sites = await openSites(t, { dir, name: NAME, http2: true }, site)
  const product = await startProduct(t, { dir, names: [NAME] })
  const curl = (...args: string[]) =>
    runProgram('curl', [
      '-sS',
      '-m',
      '20',
      '--cacert',
      sites.caFile,
      '-x',
      product.proxyUrl,
      ...args,
    ])
  const both = [sites.http, sites.https]

  t.test('a file goes up whole; curl is told to continue first', async t => {
    const file = join(dir, 'homework.bin')
    // From a megabyte on curl asks by itself (`Expect: 100-continue`), and waits for the answer.
    const homework = randomBytes(1_500_000)
    writeFileSync(file, homework)
    const [, secure] = sites.servers
    let asked = 0
    secure?.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      asked++
      response.writeContinue()
      site(request, response)
    })
    for (const base of both) {
      // Without an answer it would wait longer than it has time.
      const args = ['--http1.1', '--expect100-timeout', '60', '-T', file]
      const sent = await curl(...args, `${base}/put`)
      t.equal(sent.stdout, `PUT ${sha(homework)}`, sent.stderr)
    }
    t.equal(asked, 1, 'in a tunnel it is the origin that answers')
    const lone = await curl('--http1.0', '-T', file, `${sites.http}/put`)
    t.equal(lone.stdout, `PUT ${sha(homework)}`, lone.stderr)
  })

  t.test('a body whose size nobody knows goes up in chunks', async t => {
    for (const base of both) {
      const args = ['-sS', '--cacert', sites.caFile, '-x', product.proxyUrl, '-T', '-']
      const sent = await runProgram('curl', [...args, '--http1.1', `${base}/put`], LESSON)
      t.equal(sent.stdout, `PUT ${sha(Buffer.from(LESSON))}`, sent.stderr)
    }
  })

  t.test('a part of a file comes, a broken download goes on where it stopped', async t => {
    for (const base of both) {
      const part = join(dir, 'part.bin')
      await curl('-o', part, '-r', '0-99999', `${base}/bytes`)
      const resumed = await curl('-o', part, '-C', '-', '-w', '%{http_code}', `${base}/bytes`)
      t.equal(resumed.stdout, '206', resumed.stderr)
      const sum = await runProgram('sha256sum', [part])
      t.match(sum.stdout, sha(BYTES))
    }
  })

  t.test('a packed answer comes as it was packed', async t => {
    for (const base of both) {
      const unpacked = await curl('--compressed', '-w', '\n%{size_download}', `${base}/gzip`)
      t.equal(unpacked.stdout, `${LESSON}\n${gzipSync(LESSON).length}`)
    }
  })

  t.test('a HEAD has the length of its page, no body, and the connection goes on', async t => {
    const heads = await curl(
      '-I',
      '-w',
      'connects %{num_connects}\n',
      ...twice(`${sites.http}/bytes`),
    )
    const said = heads.stdout.toLowerCase()
    t.strictSame(said.match(/content-length: \d+/g), twice(`content-length: ${BYTES.length}`))
    t.strictSame(said.match(/connects \d/g), ['connects 1', 'connects 0'])
  })

  t.test('one connection to the proxy serves several pages, blocked ones between', async t => {
    const format = ['-o', '/dev/null', '-w', '%{http_code} %{num_connects}\n']
    const urls = [`${sites.http}/1`, 'http://www.miniclip.com/', `${sites.http}/2`]
    const said = await curl(
      ...urls.flatMap(url => [...format.slice(0, 2), url]),
      ...format.slice(2),
    )
    t.strictSame(said.stdout.trim().split('\n'), ['200 1', '403 0', '200 0'])
  })

  t.test('HTTP/2 is spoken inside a tunnel', async t => {
    const format = '%{http_version} %{http_connect}'
    const said = await curl('--http2', '-o', '/dev/null', '-w', format, `${sites.https}/`)
    t.equal(said.stdout, '2 200')
  })

  t.test('forty transfers at once each get their own bytes', async t => {
    for (const base of both) {
      for (const version of ['--http1.1', '--http2']) {
        const files = join(dir, 'page-#1')
        const { code, stderr } = await curl(
          '--no-progress-meter',
          '--parallel',
          '--parallel-max',
          '20',
          version,
          '-o',
          files,
          `${base}/p?[1-40]`,
        )
        t.equal(code, 0, stderr)
        const all = Array.from({ length: 40 }, (_, i) => join(dir, `page-${i + 1}`))
        const pages = await runProgram('cat', all)
        const expected = Array.from({ length: 40 }, (_, i) => `page /p?${i + 1}\n`).join('')
        t.equal(pages.stdout, expected, `${base} ${version}`)
      }
    }
  })

  t.test('a name and password for the proxy stay at the proxy', async t => {
    const args = ['-U', 'eleve:secret', '--proxy-header', 'X-Only-Proxy: 1']
    for (const url of both) {
      const { stdout } = await curl('--http1.1', ...args, `${url}/fields`)
      t.match(stdout, NAME)
      t.notMatch(stdout, /proxy-authorization|ZWxldmU6c2VjcmV0/i)
    }
  })

  t.test('plain HTTP in a tunnel: an allowed site answers, a blocked one is refused', async t => {
    const format = ['-w', ' %{http_connect} %{http_code}']
    const open = await curl('-p', ...format, `${sites.http}/`)
    t.equal(open.stdout, 'page /\n 200 200')
    const blocked = await curl('-p', ...format, 'http://www.miniclip.com:8080/')
    t.match(blocked.stdout, / 403$/, 'where curl expects the page')
    const ssh = await curl('-p', ...format, `http://${NAME}:22/`)
    t.match(ssh.stdout, / 403 000$/, 'a port that nobody may reach')
  })
})
