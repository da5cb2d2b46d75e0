/** Programs of Node's world: its own clients told by the environment, WebSockets, and proxy-chain in front of us. */
import t from 'tap'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, type RequestListener } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { Server as ChainServer } from 'proxy-chain'
import { WebSocket, WebSocketServer } from 'ws'
import { runProgram, startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'

const NAME = 'api.test'
const MESSAGES = Array.from({ length: 50 }, (_, i) => `${i} `.repeat(1 + i * 200))

const site: RequestListener = (request, response) => {
  let length = 0
  request.on('data', (chunk: Buffer) => (length += chunk.length))
  request.on('end', () => response.end(`${request.method} ${request.url} ${length}`))
}

/** What a program says that sends the same exchanges by `fetch` and by `node:http(s)`, several at once. */
const PROGRAM = `
import http from 'node:http'
import https from 'node:https'
import { text } from 'node:stream/consumers'
const get = url => new Promise((resolve, reject) => {
  const request = (url.startsWith('https') ? https : http).request(url, { method: 'POST' }, answer =>
    text(answer).then(body => resolve(answer.statusCode + ' ' + body), reject))
  request.on('error', reject).end('x'.repeat(70000))
})
const fetched = async url => {
  const answer = await fetch(url, { method: 'PUT', body: 'y'.repeat(90000) })
  return answer.status + ' ' + await answer.text()
}
for (const url of process.argv.slice(1))
  for (const ask of [get, fetched])
    console.log((await Promise.all([1, 2, 3].map(i => ask(url + '/' + i)))).join('\\n'))
`

t.test('clients of Node', async t => {
  const dir = t.testdir()
  const sites = await openSites(t, { dir, name: NAME }, site)
  const product = await startProduct(t, { dir, names: [NAME] })
  const ca = readFileSync(sites.caFile)
  const proxyEnv = { HTTP_PROXY: product.proxyUrl, HTTPS_PROXY: product.proxyUrl, NO_PROXY: '' }
  const expected = ['POST', 'PUT'].flatMap(method =>
    [1, 2, 3].map(i => `200 ${method} /${i} ${method === 'POST' ? 70_000 : 90_000}`),
  )

  const runThrough = (proxyUrl: string, ...urls: string[]) =>
    runProgram(process.execPath, ['--input-type=module', '-e', PROGRAM, ...urls], '', {
      NODE_USE_ENV_PROXY: '1',
      NODE_EXTRA_CA_CERTS: sites.caFile,
      HTTP_PROXY: proxyUrl,
      HTTPS_PROXY: proxyUrl,
      http_proxy: proxyUrl,
      https_proxy: proxyUrl,
      NO_PROXY: '',
      no_proxy: '',
    })

  t.test('fetch and node:http as the environment tells them', async t => {
    const said = await runThrough(product.proxyUrl, sites.http, sites.https)
    t.strictSame(said.stdout.trim().split('\n'), [...expected, ...expected], said.stderr)
    const blocked = await runThrough(product.proxyUrl, 'http://www.miniclip.com')
    t.match(blocked.stdout, /^403 [\s\S]*miniclip/)
  })

  t.test('a proxy of one school before ours (proxy-chain)', async t => {
    const chain = new ChainServer({
      port: 0,
      host: '127.0.0.1',
      prepareRequestFunction: () => ({ upstreamProxyUrl: product.proxyUrl }),
    })
    await chain.listen()
    t.teardown(() => chain.close(true))
    const url = `http://127.0.0.1:${chain.port}`
    const said = await runThrough(url, sites.http, sites.https)
    t.strictSame(said.stdout.trim().split('\n'), [...expected, ...expected], said.stderr)
    const curl = (...args: string[]) =>
      runProgram('curl', ['-sS', '-x', url, '-w', '\n%{http_code}', ...args])
    t.match((await curl('http://www.miniclip.com/')).stdout, /miniclip\.com[\s\S]*\n403$/)
    const secure = await curl('--cacert', product.caFile, 'https://www.miniclip.com/')
    t.match(secure.stdout, /miniclip\.com[\s\S]*\n403$/, secure.stderr)
    const unknown = await curl('http://nowhere.invalid/')
    t.match(unknown.stdout, /\n502$/)
  })

  t.test('WebSockets in clear and in a tunnel', async t => {
    const wss = new WebSocketServer({ noServer: true })
    wss.on('connection', socket => socket.on('message', data => socket.send(data)))
    for (const server of sites.servers)
      server.on('upgrade', (request, socket, head) =>
        wss.handleUpgrade(request, socket, head, ws => wss.emit('connection', ws, request)),
      )
    const ways = [
      { url: sites.http.replace('http', 'ws'), agent: new Agent({ proxyEnv }) },
      { url: sites.https.replace('https', 'wss'), agent: new TlsAgent({ proxyEnv, ca }) },
    ]
    for (const { url, agent } of ways) {
      const socket = new WebSocket(`${url}/chat`, { agent })
      await once(socket, 'open')
      const echoes: string[] = []
      const all = new Promise<void>(resolve =>
        socket.on('message', (data: Buffer) => {
          echoes.push(data.toString())
          if (echoes.length === MESSAGES.length) resolve()
        }),
      )
      for (const message of MESSAGES) socket.send(message)
      await all
      t.ok(echoes.every((echo, i) => echo === MESSAGES[i]))
      socket.close(4_000, 'fini')
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
      t.equal(`${code} ${reason.toString()}`, '4000 fini', url)
    }
    const refused = new WebSocket('ws://www.miniclip.com/', { agent: new Agent({ proxyEnv }) })
    const [error] = (await once(refused, 'error')) as [Error]
    t.match(error.message, '403')
  })

  t.test('all of it is in the access log', async t => {
    await product.stop()
    const passed = product.accessLog().filter(({ host }) => host === NAME)
    for (const method of ['CONNECT', 'POST', 'GET'])
      t.ok(
        passed.some(line => line.method === method && line.verdict === 'allow'),
        method,
      )
  })
})
