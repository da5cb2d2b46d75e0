/** A source is downloaded whole or not at all, whatever the server at the other end does. */
import t, { type Test } from 'tap'
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { configSchema } from '../../src/config.ts'
import { PreauError } from '../../src/errors.ts'
import { download, type DownloadOptions } from '../../src/updates/download.ts'
import { DIAL, serveHttp, serveHttps, serveProxy } from './source-server.ts'

const optionsFor = (t: Test, change: Partial<DownloadOptions> = {}): DownloadOptions => ({
  file: join(t.testdir(), 'list.txt'),
  maxBytes: 1_000_000,
  timeoutMs: 60_000,
  parentProxy: null,
  parents: { proxies: {}, routes: [], retryAfterMs: 10_000 },
  dial: DIAL,
  maxHeaderBytes: 65_536,
  ...change,
})

/** The download fails, its reason can be read in both languages, and no file is left. */
async function failsWith(
  t: Test,
  url: string,
  reason: { fr: RegExp; en: RegExp },
  change: Partial<DownloadOptions> = {},
): Promise<void> {
  const options = optionsFor(t, change)
  const error: unknown = await download(url, options).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof PreauError)) {
    t.fail(`${url} did not fail`, { error })
    return
  }
  t.equal(error.code, 'PREAU_DOWNLOAD_FAILED')
  t.match(error.text('fr'), reason.fr)
  t.match(error.text('en'), reason.en)
  t.equal(error.params['url'], url.replace(/\?.*/, ''), 'the URL is named without its query')
  t.notOk(existsSync(options.file), 'and nothing is left')
}

t.test('a list comes into a file that its owner alone may read', async t => {
  const asked: unknown[] = []
  const origin = await serveHttp(t, (request, response) => {
    asked.push(request.headers)
    response.writeHead(200, { etag: '"1"', 'last-modified': 'Mon, 23 Nov 2026 10:00:00 GMT' })
    response.end('games.test\n')
  })
  const options = optionsFor(t)
  const seen: number[] = []
  const answer = await download(`${origin}/list.txt`, {
    ...options,
    onProgress: done => seen.push(done),
  })
  const lastModified = 'Mon, 23 Nov 2026 10:00:00 GMT'
  const validators = { url: `${origin}/list.txt`, etag: '"1"', lastModified }
  t.strictSame(answer, { kind: 'fetched', bytes: 11, validators })
  t.equal(readFileSync(options.file, 'utf8'), 'games.test\n')
  t.equal(statSync(options.file).mode & 0o777, 0o600)
  t.equal(seen.at(-1), 11)
  t.match(asked, [{ 'user-agent': /^Preau\/\d/, 'accept-encoding': 'identity' }])
  t.notMatch(asked, [{ 'if-none-match': /./ }], 'the first time nothing is conditional')
})

t.test('what has not changed is not sent again', async t => {
  const answer: RequestListener = (request, response) => {
    const isSame = request.headers['if-none-match'] === '"1"'
    response.writeHead(isSame ? 304 : 200).end(isSame ? undefined : 'new')
  }
  const origin = await serveHttp(t, answer)
  const validators = { url: `${origin}/list`, etag: '"1"' }
  const options = optionsFor(t, { validators })
  t.strictSame(await download(`${origin}/list`, options), { kind: 'unchanged' })
  t.notOk(existsSync(options.file))
  const other = await download(`${origin}/other`, options)
  t.equal(other.kind, 'fetched', 'validators of one URL say nothing about another one')
})

t.test('a date alone serves as well, and a 304 that nobody asked for is refused', async t => {
  const origin = await serveHttp(t, (request, response) =>
    response
      .writeHead(request.url === '/never' || request.headers['if-modified-since'] ? 304 : 200)
      .end(),
  )
  const lastModified = 'Mon, 23 Nov 2026 10:00:00 GMT'
  const validators = { url: `${origin}/list`, lastModified }
  t.equal((await download(`${origin}/list`, optionsFor(t, { validators }))).kind, 'unchanged')
  await failsWith(t, `${origin}/never`, { fr: /304/, en: /304 Not Modified/ })
})

t.test('redirects are followed, and validators belong to where they end', async t => {
  const origin = await serveHttp(t, (request, response) => {
    if (request.url === '/old') response.writeHead(301, { location: '/new' }).end()
    else if (request.headers['if-none-match'] === '"n"') response.writeHead(304).end()
    else response.writeHead(200, { etag: '"n"' }).end('list')
  })
  const first = await download(`${origin}/old`, optionsFor(t))
  t.match(first, { kind: 'fetched', validators: { url: `${origin}/new`, etag: '"n"' } })
  const validators = { url: `${origin}/new`, etag: '"n"' }
  const second = await download(`${origin}/old`, optionsFor(t, { validators }))
  t.strictSame(second, { kind: 'unchanged' })
})

t.test('a redirect that goes round in circles, or nowhere, is given up', async t => {
  const rows: [string | undefined, { fr: RegExp; en: RegExp }][] = [
    ['/', { fr: /plus de 5 redirections/, en: /more than 5 redirects/ }],
    [undefined, { fr: /ne mène pas à une adresse http/, en: /does not lead to an http/ }],
    ['file:///etc/passwd', { fr: /ne mène pas/, en: /does not lead/ }],
    ['http://a:b@other.test/', { fr: /ne mène pas/, en: /does not lead/ }],
  ]
  for (const [location, reason] of rows) {
    const origin = await serveHttp(t, (_request, response) =>
      response.writeHead(302, location === undefined ? {} : { location }).end(),
    )
    await failsWith(t, `${origin}/`, reason)
  }
})

t.test('a source cannot make Préau knock at machines of the city', async t => {
  const knocks: string[] = []
  const inner = await serveHttp(t, (request, response) => {
    knocks.push(request.headers.host ?? '')
    response.end('secret')
  })
  const { port } = new URL(inner)
  const reason = { fr: /mène à une adresse interne/, en: /leads to an address that is not public/ }
  for (const host of ['localhost', '127.0.0.1', '[::ffff:127.0.0.1]', '0x7f.1']) {
    const location = `http://${host}:${port}/`
    const origin = await serveHttp(t, (_request, response) =>
      response.writeHead(302, { location }).end(),
    )
    await failsWith(t, `${origin}/`, reason)
  }
  t.strictSame(knocks, [])
  const origin = await serveHttp(t, (_request, response) =>
    response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end(),
  )
  const dial = { ...DIAL, allow: ['127.0.0.0/8'] }
  const open = await download(`${origin}/`, optionsFor(t, { dial }))
  t.equal(open.kind, 'fetched', 'unless the configuration opens that network')
  const mirror = await download(`http://localhost:${port}/`, optionsFor(t))
  t.equal(mirror.kind, 'fetched', 'the source that a person has named may be an inner mirror')
})

t.test('a head that is larger than Node takes by itself is read, up to the bound', async t => {
  const origin = await serveHttp(t, (_request, response) => {
    response.writeHead(200, { 'set-cookie': 'x'.repeat(40_000) }).end('list')
  })
  t.equal((await download(`${origin}/list`, optionsFor(t))).kind, 'fetched')
  const change = { maxHeaderBytes: 30_000 }
  await failsWith(t, `${origin}/list`, { fr: /./, en: /./ }, change)
})

t.test('https works, and never becomes http on the way', async t => {
  const origin = await serveHttps(t, (request, response) => {
    if (request.url === '/list') response.end('list')
    else response.writeHead(302, { location: 'http://other.test/' }).end()
  })
  t.equal((await download(`${origin}/list`, optionsFor(t))).kind, 'fetched')
  await failsWith(t, `${origin}/down`, { fr: /de https à http/, en: /from https to http/ })
})

t.test('a certificate that is not of that host is refused', async t => {
  const origin = await serveHttps(t, (_request, response) => void response.end('list'))
  const url = origin.replace('mirror.test', 'other.test')
  await failsWith(t, `${url}/`, { fr: /certificat refusé/, en: /certificate refused/ })
})

t.test('an answer that is no list is named', async t => {
  const origin = await serveHttp(t, (_request, response) => response.writeHead(404).end('<html>'))
  const reason = { fr: /le serveur répond 404 Not Found/, en: /the server answers 404/ }
  await failsWith(t, `${origin}/list?key=secret`, reason)
})

t.test('a list that is too big is given up, announced or not', async t => {
  const origin = await serveHttp(t, (request, response) => {
    if (request.url === '/announced') response.writeHead(200, { 'content-length': 400_000 })
    response.write('x'.repeat(200_000))
    response.end('x'.repeat(200_000))
  })
  const reason = { fr: /plus de 0,4 Mo/, en: /more than 0.4 MB/ }
  const onProgress = (): void => {
    t.fail('what is announced as too big is not even begun')
  }
  await failsWith(t, `${origin}/announced`, reason, { maxBytes: 399_999, onProgress })
  await failsWith(t, `${origin}/silently`, reason, { maxBytes: 399_999 })
  const exact = await download(`${origin}/announced`, optionsFor(t, { maxBytes: 400_000 }))
  t.equal(exact.kind, 'fetched')
})

t.test('a list that is cut off is not taken for the whole', async t => {
  const origin = await serveHttp(t, (request, response) => {
    if (request.url === '/length') response.writeHead(200, { 'content-length': 100 })
    response.write('half', () => response.socket?.destroy())
  })
  const reason = { fr: /interrompu/, en: /cut off|aborted|ECONNRESET|hang up/ }
  await failsWith(t, `${origin}/length`, reason)
  await failsWith(t, `${origin}/chunked`, reason)
})

t.test('a source that falls silent, or never ends, is given up', async t => {
  const timers = new Set<NodeJS.Timeout>()
  t.teardown(() => timers.forEach(clearInterval))
  const origin = await serveHttp(t, (request, response) => {
    if (request.url === '/mute') return
    response.write('a')
    if (request.url === '/trickle') timers.add(setInterval(() => response.write('a'), 10))
  })
  const silent = { fr: /silence depuis 0,1 s/, en: /silent for 0.1 s/ }
  await failsWith(t, `${origin}/mute`, silent, { silenceMs: 100 })
  await failsWith(t, `${origin}/half`, silent, { silenceMs: 100 })
  const slow = { fr: /pas terminé au bout de 0,5 s/, en: /not finished after 0.5 s/ }
  await failsWith(t, `${origin}/trickle`, slow, { timeoutMs: 500 })
})

t.test('a source that is not there is named in words', async t => {
  const url = 'http://127.0.0.1:1/'
  await failsWith(t, url, { fr: /connexion refusée/, en: /ECONNREFUSED/ })
  const dial = { ...DIAL, servers: ['127.0.0.1:1'] }
  await failsWith(t, 'http://nowhere.test/', { fr: /nowhere\.test/, en: /nowhere\.test/ }, { dial })
})

t.test('with a parent proxy everything passes through it, https as a tunnel', async t => {
  const proxy = await serveProxy(t)
  const plain = await serveHttp(t, (_request, response) => void response.end('plain'))
  const secure = await serveHttps(t, (_request, response) => void response.end('secure'))
  for (const [origin, text] of [
    [plain, 'plain'],
    [secure, 'secure'],
  ] as const) {
    // A name that only the proxy can resolve would do as well: here it is never asked for.
    const dial = { ...DIAL, hosts: {} }
    const options = optionsFor(t, { parentProxy: proxy.url, dial })
    t.match(await download(`${origin}/list`, options), { kind: 'fetched' })
    t.equal(readFileSync(options.file, 'utf8'), text)
  }
  t.strictSame(proxy.passed, [`GET ${plain}/list`, `CONNECT ${new URL(secure).host}`])
})

t.test('without one of its own a download takes the way of browsing', async t => {
  const proxy = await serveProxy(t)
  const plain = await serveHttp(t, (_request, response) => void response.end('plain'))
  const { parents } = configSchema.parse({
    parents: {
      proxies: { rectorat: proxy.url },
      routes: [{ to: [new URL(plain).hostname], via: ['rectorat'] }],
    },
  })
  await download(`${plain}/list`, optionsFor(t, { parents, dial: { ...DIAL, hosts: {} } }))
  t.strictSame(proxy.passed, [`GET ${plain}/list`])
})

t.test('a parent proxy that refuses is named as the one that does', async t => {
  const origin = await serveHttps(t, (_request, response) => void response.end('secure'))
  const refusing = await serveHttp(t, () => undefined)
  const parentProxy = refusing.replace('mirror.test', '127.0.0.1')
  const reason = { fr: /proxy parent/, en: /parent proxy/ }
  await failsWith(t, `${origin}/`, reason, { parentProxy, silenceMs: 2_000 })
})

t.test('credentials go to the server that they are for, and to no other', async t => {
  const heard: (string | undefined)[] = []
  const other = await serveHttp(t, (request, response) => {
    heard.push(request.headers.authorization)
    response.end('games.test\n')
  })
  const first = await serveHttp(t, (request, response) => {
    heard.push(request.headers.authorization)
    const to = request.url === '/a' ? '/b' : `${other}/list`
    response.writeHead(302, { location: to }).end()
  })
  const credentials = { user: 'reader', password: 's3cret' }
  await download(`${first}/a`, optionsFor(t, { credentials }))
  const basic = `Basic ${btoa('reader:s3cret')}`
  t.same(heard, [basic, basic, undefined])
})

t.test('a coding that nobody has asked for is undone, within the same bound', async t => {
  const text = Buffer.from('games.test\n'.repeat(100))
  const rows: [string, Buffer, Buffer][] = [
    ['br', brotliCompressSync(text), text],
    ['deflate', deflateSync(text), text],
    ['zstd', zstdCompressSync(text), text],
    ['GZIP, br', brotliCompressSync(gzipSync(text)), gzipSync(text)],
    ['br, gzip', gzipSync(brotliCompressSync(text)), text],
    // Whoever reads the file looks inside of gzip.
    ['gzip', gzipSync(text), gzipSync(text)],
    ['identity', text, text],
  ]
  for (const [coding, sent, kept] of rows) {
    const origin = await serveHttp(t, (_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(sent),
    )
    const options = optionsFor(t, { file: join(t.testdir(), coding.replace(/\W/g, '')) })
    await download(`${origin}/list.txt`, options)
    t.same(readFileSync(options.file), kept, coding)
  }
  const bomb = brotliCompressSync(Buffer.alloc(2_000_000))
  const origin = await serveHttp(t, (request, response) =>
    response
      .writeHead(200, { 'content-encoding': request.url === '/x' ? 'x-odd' : 'br' })
      .end(bomb),
  )
  await failsWith(t, `${origin}/bomb`, { fr: /plus de 1 Mo/, en: /more than 1 MB/ })
  await failsWith(t, `${origin}/x`, { fr: /façon inconnue \(x-odd\)/, en: /unknown way \(x-odd\)/ })
})
