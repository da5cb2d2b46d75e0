/** git as schools use it: clone, and push a large pack, over the smart protocol, in clear and in a tunnel. */
import t from 'tap'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { runProgram, startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'

const NAME = 'forge.test'

/** git's own server program behind a listener (CGI, RFC 3875). */
const forge =
  (root: string): RequestListener =>
  (request, response) => {
    const [path, query = ''] = (request.url ?? '').split('?')
    const child = spawn('git', ['http-backend'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        REMOTE_USER: 'eleve',
        REQUEST_METHOD: request.method,
        PATH_INFO: path,
        QUERY_STRING: query,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        CONTENT_LENGTH: request.headers['content-length'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      },
    })
    pipeline(request, child.stdin, () => undefined)
    answerFrom(child.stdout, response)
  }

/** The head that a CGI program writes, then its body as it comes. */
function answerFrom(output: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0)
  const onData = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end === -1) return
    output.off('data', onData)
    const fields = head.toString('latin1', 0, end).split('\r\n')
    for (const field of fields) {
      const [name = '', value = ''] = field.split(': ')
      if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.write(head.subarray(end + 4))
    output.pipe(response)
  }
  output.on('data', onData)
}

t.test('a repository is cloned, and a large pack pushed', async t => {
  const dir = t.testdir({ root: {}, home: {} })
  const root = join(dir, 'root')
  const encodings: (string | undefined)[] = []
  const sites = await openSites(t, { dir, name: NAME }, (request: IncomingMessage, response) => {
    if (request.method === 'POST') encodings.push(request.headers['transfer-encoding'])
    forge(root)(request, response)
  })
  const product = await startProduct(t, { dir, names: [NAME] })
  const git = async (...args: string[]): Promise<string> => {
    const settings = [
      `http.proxy=${product.proxyUrl}`,
      'user.name=t',
      'user.email=t@t.test',
      'init.defaultBranch=main',
    ].flatMap(setting => ['-c', setting])
    const env = {
      HOME: join(dir, 'home'),
      GIT_SSL_CAINFO: sites.caFile,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
    }
    const { code, stdout, stderr } = await runProgram('git', [...settings, ...args], '', env)
    t.equal(code, 0, `git ${args[0]}: ${stderr}`)
    return stdout.trim()
  }
  for (const [scheme, base] of [
    ['http', sites.http],
    ['https', sites.https],
  ] as const) {
    const bare = join(root, `${scheme}.git`)
    await git('init', '-q', '--bare', bare)
    await git('-C', bare, 'config', 'http.receivepack', 'true')
    const work = join(dir, `work-${scheme}`)
    await git('clone', '-q', `${base}/${scheme}.git`, work)
    // Above a megabyte git no longer says the length: the pack goes up in chunks.
    const pictures = randomBytes(4_000_000)
    mkdirSync(join(work, 'cours'))
    writeFileSync(join(work, 'cours/images.bin'), pictures)
    await git('-C', work, 'add', '.')
    await git('-C', work, 'commit', '-qm', 'leçon')
    await git('-C', work, 'push', '-q', 'origin', 'HEAD:main')
    await git('-C', bare, 'fsck', '--strict', '--no-progress')
    const again = join(dir, `again-${scheme}`)
    await git('clone', '-q', '-b', 'main', `${base}/${scheme}.git`, again)
    t.ok(readFileSync(join(again, 'cours/images.bin')).equals(pictures), `${scheme}: byte for byte`)
    t.equal(await git('-C', again, 'rev-parse', 'HEAD'), await git('-C', work, 'rev-parse', 'HEAD'))
  }
  t.equal(encodings.filter(encoding => encoding === 'chunked').length, 2)
})
