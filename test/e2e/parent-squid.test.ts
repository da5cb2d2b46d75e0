/** A city behind the proxy of an academy: squid with a password, which lets nothing but TLS through its CONNECT. */
import t, { type Test } from 'tap'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/free-port.ts'
import { runProgram, startProduct } from '../support/product.ts'
import { openSites } from '../support/sites.ts'
import { until } from '../support/supervised.ts'

const NAME = 'lycee.example'
const USER = 'ville'
const PASSWORD = 'mot de passe'

interface Academy {
  readonly url: string
  log(): string
  stop(): Promise<void>
  start(): Promise<void>
}

/** The names of the web are known to it, and to nobody else here. */
async function openAcademy(t: Test, tlsPort: number): Promise<Academy> {
  // As root it becomes somebody else, who must be able to write its logs.
  const dir = mkdtempSync(join(tmpdir(), 'preau-squid-'))
  chmodSync(dir, 0o777)
  const port = await freePort()
  const { stdout } = await runProgram('openssl', ['passwd', '-apr1', PASSWORD])
  const at = (name: string): string => join(dir, name)
  writeFileSync(at('users'), `${USER}:${stdout}`)
  writeFileSync(at('hosts'), `127.0.0.1 ${NAME}\n`)
  writeFileSync(
    at('squid.conf'),
    [
      `http_port 127.0.0.1:${port}`,
      `hosts_file ${at('hosts')}`,
      `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${at('users')}`,
      'acl known proxy_auth REQUIRED',
      `acl tls port 443 ${tlsPort}`,
      'http_access deny CONNECT !tls',
      'http_access deny !known',
      'http_access allow all',
      'cache deny all',
      'cache_mem 8 MB',
      `access_log stdio:${at('access.log')}`,
      `cache_log ${at('cache.log')}`,
      `pid_filename ${at('squid.pid')}`,
      `coredump_dir ${dir}`,
      'shutdown_lifetime 0 seconds',
      'visible_hostname academie',
      '',
    ].join('\n'),
  )
  let running: ReturnType<typeof spawn> | undefined
  const stop = async (): Promise<void> => {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  const isUp = (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
  const start = async (): Promise<void> => {
    running = spawn('squid', ['-N', '-n', `academie${port}`, '-f', at('squid.conf')], {
      stdio: 'ignore',
    })
    await until(isUp)
  }
  t.teardown(async () => {
    await stop()
    rmSync(dir, { recursive: true, force: true })
  })
  await start()
  return {
    url: `http://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`,
    log: () => readFileSync(at('access.log'), 'utf8'),
    stop,
    start,
  }
}

t.test('a city behind squid browses through it, and is told when it fails', async t => {
  const dir = t.testdir()
  const sites = await openSites(t, { dir, name: NAME }, (request, response) => {
    response.end(`la leçon de ${request.url}`)
  })
  const academy = await openAcademy(t, Number(new URL(sites.https).port))
  const connectPorts = [443, Number(new URL(sites.https).port)]
  const product = await startProduct(t, {
    dir,
    config: {
      proxy: { port: 0, connectPorts },
      parents: {
        proxies: { academie: academy.url },
        routes: [{ to: ['*'], via: ['academie'] }],
        retryAfterMs: 200,
      },
    },
  })
  const curl = async (url: string): Promise<string> => {
    const args = [
      '-sS',
      '--cacert',
      sites.caFile,
      '-x',
      product.proxyUrl,
      '-w',
      ' %{http_code}',
      url,
    ]
    return (await runProgram('curl', args)).stdout
  }
  t.equal(await curl(`${sites.http}/a?b=c`), 'la leçon de /a?b=c 200')
  t.equal(
    await curl(`${sites.https}/secret`),
    'la leçon de /secret 200',
    'with the certificate of the site',
  )
  t.match(academy.log(), new RegExp(`${USER} .*`), 'squid knows who asks')
  t.match(academy.log(), `CONNECT ${NAME}`)
  t.match(academy.log(), `GET http://${NAME}`)
  // Allowed by us, not by the academy: its refusal is told as its own.
  const refused = await runProgram('curl', ['-sv', '-p', '-x', product.proxyUrl, sites.http])
  t.match(refused.stderr, /< HTTP\/1\.1 400 /, 'only a WebSocket may come that way at all')
  t.match(await curl('http://unknown.example:8080/'), /ERR_[^]* 50[23]$/, 'its own page')
  t.match(await curl('http://localhost:8080/'), / 403$/)

  await academy.stop()
  t.match(await curl(`${sites.http}/`), /proxy parent.* 502$/s)
  const metric = async (): Promise<string> =>
    await (await fetch(`${product.adminUrl}/metrics`)).text()
  await until(async () => /^preau_parent_up\{[^}]*academie[^}]*\} 0$/m.test(await metric()))
  const ready = (): Promise<unknown> =>
    fetch(`${product.adminUrl}/readyz`).then(answer => answer.json())
  t.match(await ready(), { warn: ['parents'], parts: { parents: { state: 'warn', out: 1 } } })
  await academy.start()
  await until(async () => (await curl(`${sites.http}/`)).endsWith(' 200'))
  await until(async () => /^preau_parent_up\{[^}]*academie[^}]*\} 1$/m.test(await metric()))
  for (const text of [product.said(), JSON.stringify(product.accessLog()), await metric()])
    t.notMatch(text, /mot de passe|mot%20de|bW90/, 'the password is told nowhere')
  t.match(product.said(), /a parent proxy is left out/)
})
