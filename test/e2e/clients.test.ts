/** The programs of a school, as they are, through the whole product. */
import t from 'tap'
import { createHash, randomFillSync, type Hash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { pipeline, Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline as pipelineOf } from 'node:stream/promises'
import { eventually } from '../support/proxy-world.ts'
import { runProgram, startProduct, type Product } from '../support/product.ts'
import { openSites } from '../support/sites.ts'

const NAME = 'ent.test'
const GIGABYTE = 1 << 30
const CHUNK = randomFillSync(Buffer.alloc(1 << 20))

/** A gigabyte that never stands in memory: one random megabyte, numbered, over and over. */
function* gigabyte(): Generator<Buffer> {
  for (let i = 0; i < GIGABYTE / CHUNK.length; i++) {
    CHUNK.writeUInt32BE(i, 0)
    yield Buffer.from(CHUNK)
  }
}

function sumOfGigabyte(): string {
  const hash = createHash('sha256')
  for (const chunk of gigabyte()) hash.update(chunk)
  return hash.digest('hex')
}

const site =
  (gitDir: string): RequestListener =>
  (request, response) => {
    if (request.url === '/down') {
      response.writeHead(200, { 'Content-Length': GIGABYTE })
      pipeline(Readable.from(gigabyte(), { objectMode: false }), response, () => undefined)
    } else if (request.url === '/up') {
      const hash: Hash = createHash('sha256')
      request.on('data', (chunk: Buffer) => hash.update(chunk))
      request.on('end', () => response.end(hash.digest('hex')))
    } else if (request.url?.startsWith('/r.git/')) {
      void runProgram('cat', [
        join(gitDir, (request.url.split('?')[0] ?? '').slice('/r.git/'.length)),
      ]).then(({ code, stdout }) => response.writeHead(code === 0 ? 200 : 404).end(stdout))
    } else response.end(`bonjour ${request.headers.host}`)
  }

async function makeRepository(dir: string): Promise<void> {
  const at = join(dir, 'repository')
  mkdirSync(at)
  writeFileSync(join(at, 'lesson.txt'), 'La leçon du jour')
  const git = (...args: string[]) =>
    runProgram('git', ['-C', at, '-c', 'user.name=t', '-c', 'user.email=t@t.test', ...args])
  await git('init', '-q')
  await git('add', '.')
  await git('commit', '-qm', 'leçon')
  // The dumb protocol serves plain text files only through our little site: keep the objects loose.
  await git('update-server-info')
}

t.test('the programs of a school', async t => {
  const dir = t.testdir()
  await makeRepository(dir)
  const sites = await openSites(t, { dir, name: NAME }, site(join(dir, 'repository/.git')))
  const product: Product = await startProduct(t, { dir, names: [NAME] })
  const { http, https } = sites
  const curl = (...args: string[]) =>
    runProgram('curl', ['-sS', '--cacert', sites.caFile, '-x', product.proxyUrl, ...args])

  t.test('curl reads an allowed site, in clear and in TLS', async t => {
    t.equal((await curl(`${http}/`)).stdout, `bonjour ${new URL(http).host}`)
    t.equal((await curl(`${https}/`)).stdout, `bonjour ${new URL(https).host}`)
    t.equal((await curl('--http1.0', `${http}/`)).stdout, `bonjour ${new URL(http).host}`)
    t.equal(
      (await curl('-p', `${http}/`)).stdout,
      `bonjour ${new URL(http).host}`,
      'and plain HTTP in a tunnel',
    )
  })

  t.test('curl is shown the page of a blocked site, in clear and in TLS', async t => {
    const blocked = (url: string, ca: string) =>
      runProgram('curl', [
        '-sS',
        '--cacert',
        ca,
        '-x',
        product.proxyUrl,
        '-w',
        '%{http_code} %{ssl_verify_result}',
        url,
      ])
    const clear = await blocked('http://www.miniclip.com/', product.caFile)
    t.match(clear.stdout, /miniclip\.com[\s\S]*403 0$/)
    const secure = await blocked('https://www.miniclip.com/', product.caFile)
    t.match(secure.stdout, /miniclip\.com[\s\S]*403 0$/)
    t.match(
      (await curl('https://www.miniclip.com/')).stderr,
      /certificate/,
      'without the CA of the city TLS says no',
    )
  })

  t.test('wget and git work through it', async t => {
    const wget = [
      '-q',
      '-e',
      'use_proxy=yes',
      '-e',
      `http_proxy=${product.proxyUrl}`,
      '-e',
      `https_proxy=${product.proxyUrl}`,
    ]
    t.equal(
      (await runProgram('wget', [...wget, '-O', '-', `${http}/`])).stdout,
      `bonjour ${new URL(http).host}`,
    )
    const secure = await runProgram('wget', [
      ...wget,
      `--ca-certificate=${sites.caFile}`,
      '-O',
      '-',
      `${https}/`,
    ])
    t.equal(secure.stdout, `bonjour ${new URL(https).host}`)
    const git = await runProgram(
      'git',
      ['-c', `http.proxy=${product.proxyUrl}`, 'ls-remote', `${https}/r.git`],
      '',
      { GIT_SSL_CAINFO: sites.caFile, GIT_TERMINAL_PROMPT: '0' },
    )
    t.match(git.stdout, /^[0-9a-f]{40}\tHEAD/, git.stderr)
  })

  t.test('a gigabyte comes down and goes up without one wrong byte', async t => {
    const expected = sumOfGigabyte()
    const sum = (command: string) => runProgram('bash', ['-c', `set -o pipefail; ${command}`])
    const proxy = `curl -sS --cacert ${sites.caFile} -x ${product.proxyUrl}`
    const send = async (url: string): Promise<string> => {
      const args = [
        '-sS',
        '--cacert',
        sites.caFile,
        '-x',
        product.proxyUrl,
        '-T',
        '-',
        '-X',
        'POST',
        '-H',
        'Expect:',
        url,
      ]
      const child = spawn('curl', args, { stdio: ['pipe', 'pipe', 'inherit'] })
      const sending = pipelineOf(Readable.from(gigabyte(), { objectMode: false }), child.stdin)
      const [answer] = await Promise.all([text(child.stdout), sending])
      return answer
    }
    for (const base of [http, https]) {
      const down = await sum(`${proxy} ${base}/down | sha256sum`)
      t.match(down.stdout, expected, `down, ${base.split(':')[0]}`)
      const up = await send(`${base}/up`)
      t.equal(up, expected, `up, ${base.split(':')[0]}`)
    }
  })

  t.test('the access log tells each exchange in one line, without paths', async t => {
    await curl(`${http}/secret?token=abc`)
    await eventually(() =>
      product.accessLog().some(({ method, host }) => host === NAME && method === 'GET'),
    )
    await new Promise(resolve => setTimeout(resolve, 500))
    const log = product.accessLog()
    t.notMatch(JSON.stringify(log), /secret|abc|down/)
    t.ok(
      log.some(({ bytesDown }) => bytesDown > GIGABYTE),
      'bytes down',
    )
    t.ok(
      log.some(({ bytesUp }) => bytesUp > GIGABYTE),
      'bytes up',
    )
    for (const line of log) {
      t.match(line, {
        ip: '127.0.0.1',
        site: '0000000A',
        room: 'Salle de démonstration',
        profile: 'pupils',
        durationMs: Number,
      })
    }
    t.match(
      log.find(({ host, method }) => host === 'www.miniclip.com' && method === 'CONNECT'),
      { verdict: 'block', category: 'games', status: 403 },
    )
  })
})
