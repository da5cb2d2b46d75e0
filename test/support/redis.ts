/**
 * A real redis-server for a test: on a free port of loopback, its data in a folder of the test, as durable as
 * deploy/README.md asks for. Stopped, killed, held up and started again on the same port and data as a test needs; it
 * ends with the test.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { freePort } from './free-port.ts'

/** A test, or whatever else has an end and a folder. */
export type RedisHome = Pick<Test, 'teardown' | 'testdirName'>

/** Lines of redis.conf, e.g. `{ appendfsync: 'no' }`. */
export type RedisConf = Readonly<Record<string, string>>

export interface RedisServer {
  readonly port: number
  readonly folder: string
  /** `redis://127.0.0.1:port`, with the password if it has one. */
  readonly url: string
  readonly pid: () => number
  /** redis-cli; answers what it prints. */
  readonly cli: (...args: string[]) => string
  /** As an administrator does: it writes what it has, then ends. */
  readonly stop: () => Promise<void>
  /** As a crash does. */
  readonly kill: () => Promise<void>
  /** It keeps its connections and answers nothing, until `resume`. */
  readonly pause: () => void
  readonly resume: () => void
  /** Starts it again on the same port and data; `conf` changes settings. */
  readonly start: (conf?: RedisConf) => Promise<void>
}

const DURABLE: RedisConf = {
  appendonly: 'yes',
  appendfsync: 'always',
  save: '',
  'enable-debug-command': 'yes',
  // Replicas are served at once, not five seconds later with others.
  'repl-diskless-sync-delay': '0',
}
// A test that is killed takes its servers with it.
const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0
const PREFIX = hasSetpriv ? ['setpriv', '--pdeathsig', 'KILL'] : []

let folders = 0

export async function startRedis(
  t: RedisHome,
  conf: RedisConf = {},
  args: readonly string[] = [],
): Promise<RedisServer> {
  const port = await freePort()
  const folder = newFolder(t)
  const login = conf['requirepass'] === undefined ? '' : `:${conf['requirepass']}@`
  // A sentinel has no data.
  let settings: RedisConf = args.includes('--sentinel') ? conf : { ...DURABLE, ...conf }
  let child: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child
    child = undefined
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = once(ending, 'exit')
    ending.kill(signal)
    // One that is held up ends all the same.
    if (signal !== 'SIGKILL') ending.kill('SIGCONT')
    await ended
  }
  const start = async (changed: RedisConf = {}): Promise<void> => {
    settings = { ...settings, ...changed }
    child = await launch(folder, { port: String(port), ...settings }, args)
  }
  t.teardown(async () => {
    await end('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })
  await start()
  return {
    port,
    folder,
    url: `redis://${login}127.0.0.1:${port}`,
    pid: () => child?.pid ?? -1,
    cli: (...words) => {
      const auth =
        conf['requirepass'] === undefined ? [] : ['-a', conf['requirepass'], '--no-auth-warning']
      return execFileSync('redis-cli', ['-p', String(port), ...auth, ...words], {
        encoding: 'utf8',
      }).trim()
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    start,
  }
}

function newFolder(t: RedisHome): string {
  const folder = join(t.testdirName, `redis-${process.pid}-${++folders}`)
  // The folder of the test is made once: a second `testdir` would empty it under the first server.
  mkdirSync(folder, { recursive: true })
  return folder
}

async function launch(
  folder: string,
  conf: RedisConf,
  args: readonly string[],
): Promise<ChildProcess> {
  const settings = Object.entries({ bind: '127.0.0.1', ...conf }).flatMap(([name, value]) => [
    `--${name}`,
    ...(value === '' ? [''] : value.split(' ')),
  ])
  const [command = '', ...rest] = [...PREFIX, 'redis-server', ...args, '--dir', folder, ...settings]
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'], cwd: folder })
  const said: string[] = []
  const lines = createInterface({ input: child.stdout })
  await new Promise<void>((resolve, reject) => {
    lines.on('line', line => {
      if (said.length < 200) said.push(line)
      if (/Ready to accept connections|\+monitor master/.test(line)) resolve()
    })
    child.once('exit', () => reject(new Error(`redis-server has ended:\n${said.join('\n')}`)))
    child.once('error', reject)
  })
  return child
}

/** A replica of another server. */
export async function startReplica(
  t: RedisHome,
  of: RedisServer,
  conf: RedisConf = {},
): Promise<RedisServer> {
  const replica = await startRedis(t, { replicaof: `127.0.0.1 ${of.port}`, ...conf })
  // It keeps up when it has acknowledged something: a message, which leaves no key.
  const keepsUp = new RegExp(`port=${replica.port},state=online,offset=[1-9]`)
  do {
    of.cli('publish', 'test', 'x')
    await pause(20)
  } while (!keepsUp.test(of.cli('info', 'replication')))
  return replica
}

/** A sentinel that alone decides on the death of a master, which it calls `preau`. */
export async function startSentinel(
  t: RedisHome,
  master: Pick<RedisServer, 'port'>,
  replicas: RedisServer | readonly RedisServer[] = [],
  conf: RedisConf = {},
): Promise<RedisServer> {
  const file = join(newFolder(t), 'sentinel.conf')
  const lines = [
    `sentinel monitor preau 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds preau 500',
    'sentinel failover-timeout preau 2000',
    // By itself it looks for replicas every ten seconds.
    ...[replicas].flat().map(({ port }) => `sentinel known-replica preau 127.0.0.1 ${port}`),
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  return startRedis(t, conf, [file, '--sentinel'])
}

/** A cluster of three masters; answers them in no particular order. */
export async function startCluster(t: RedisHome, conf: RedisConf = {}): Promise<RedisServer[]> {
  const nodes = await Promise.all(
    [1, 2, 3].map(() =>
      startRedis(t, { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000', ...conf }),
    ),
  )
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
  execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'])
  while (!nodes.every(node => node.cli('cluster', 'info').includes('cluster_state:ok')))
    await pause(20)
  return nodes
}

/** One more node of a cluster, which follows one of its masters and may take its place. */
export async function addReplica(
  t: RedisHome,
  of: RedisServer,
  nodes: readonly RedisServer[],
): Promise<RedisServer> {
  const replica = await startRedis(t, {
    'cluster-enabled': 'yes',
    'cluster-node-timeout': '2000',
  })
  replica.cli('cluster', 'meet', '127.0.0.1', String(of.port))
  const id = of.cli('cluster', 'myid')
  // It must have heard of the master first; all others must know it, too, to let it take over.
  while (!replica.cli('cluster', 'replicate', id).startsWith('OK')) await pause(50)
  const knows = (node: RedisServer): boolean => node.cli('cluster', 'nodes').includes(`slave ${id}`)
  while (!nodes.every(knows) || !of.cli('role').includes(String(replica.port))) await pause(50)
  return replica
}

export interface TlsFiles {
  readonly ca: string
  readonly conf: RedisConf
}

/** A certificate for 127.0.0.1 and what a server needs to use it. */
export function makeTls(t: RedisHome): TlsFiles {
  const folder = newFolder(t)
  const path = (name: string): string => join(folder, name)
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'ignore'] })
  }
  const make = (name: string, subject: string, ...more: string[]): void => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    const files = ['-keyout', path(`${name}.key`), '-out', path(`${name}.pem`)]
    openssl('req', '-x509', ...key, '-days', '2', '-subj', subject, ...files, ...more)
  }
  make('ca', '/CN=test')
  const signed = ['-CA', path('ca.pem'), '-CAkey', path('ca.key')]
  make('redis', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1', ...signed)
  return {
    ca: path('ca.pem'),
    conf: {
      'tls-cert-file': path('redis.pem'),
      'tls-key-file': path('redis.key'),
      'tls-ca-cert-file': path('ca.pem'),
      'tls-auth-clients': 'no',
    },
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
