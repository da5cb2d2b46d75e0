/** The proxies that are compared, each a process of its own on loopback: Préau with everything on, and its peers. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Contestant {
  readonly name: string
  readonly port: number
  readonly pid: number
  stop(): void
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function untilListening(port: number): Promise<void> {
  for (let i = 0; i < 300; i++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>(resolve => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`nothing listens on ${port}`)
}

async function started(name: string, port: number, child: ChildProcess): Promise<Contestant> {
  const stop = (): void => void child.kill('SIGTERM')
  // A question that fails leaves no proxy behind.
  process.once('exit', stop)
  await untilListening(port)
  return { name, port, pid: child.pid ?? 0, stop }
}

/** The whole product, one worker: verdict, client look-up and access log on. `names` lead to loopback. */
export async function startPreau(names: readonly string[]): Promise<Contestant> {
  const dir = mkdtempSync(join(tmpdir(), 'preau-bench-'))
  const port = await freePort()
  const admin = await freePort()
  const hosts = Object.fromEntries(names.map(name => [name, '127.0.0.1']))
  const config = {
    dataDir: 'data',
    proxy: { port, connectPorts: ['1024-65535'] },
    admin: { port: admin },
    dial: { hosts },
    limits: { exchangesPerMinute: 0, connectionsPerClient: 0 },
  }
  writeFileSync(join(dir, 'config.json'), JSON.stringify(config))
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const child = spawn(process.execPath, [cli, 'start', '--config', join(dir, 'config.json')], {
    stdio: 'ignore',
  })
  await untilListening(admin)
  return started('Préau', port, child)
}

/** The floor of this runtime: `http.Server` 'connect' and two pipes, no verdict, no log. */
export async function startPlainRelay(): Promise<Contestant> {
  const port = await freePort()
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, 'plain-relay.ts'), String(port)],
    { stdio: 'inherit' },
  )
  return started('plain Node relay', port, child)
}

/** squid without lists; undefined where it is not installed. */
export async function startSquid(): Promise<Contestant | undefined> {
  if (spawnSync('sh', ['-c', 'command -v squid']).status !== 0) return undefined
  const dir = mkdtempSync(join(tmpdir(), 'squid-bench-'))
  mkdirSync(join(dir, 'log'))
  // Started by root it drops to a user of its own, who must be able to write here.
  for (const folder of [dir, join(dir, 'log')]) chmodSync(folder, 0o777)
  const port = await freePort()
  const lines = [
    `http_port 127.0.0.1:${port}`,
    'http_access allow all',
    'cache deny all',
    `pid_filename ${dir}/pid`,
    `access_log stdio:${dir}/log/access.log`,
    `cache_log ${dir}/log/cache.log`,
    `coredump_dir ${dir}`,
    `hosts_file ${dir}/hosts`,
    'shutdown_lifetime 1 seconds',
  ]
  writeFileSync(join(dir, 'squid.conf'), lines.join('\n'))
  writeFileSync(join(dir, 'hosts'), '127.0.0.1 bench.test\n')
  const child = spawn('squid', ['-N', '-n', `preau${process.pid}`, '-f', join(dir, 'squid.conf')], {
    stdio: 'ignore',
  })
  return started('squid, no lists', port, child)
}
