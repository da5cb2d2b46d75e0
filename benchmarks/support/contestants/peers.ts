/** The peers, each where it is installed: squid, tinyproxy, e2guardian; and the floors of this runtime, always. */
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../../test/support/free-port.ts'
import { launch } from '../processes.ts'
import { NAME, ready, scratch, versionOf, type Contestant } from './contestant.ts'

/** What squid refuses: a name of ours that no list knows. */
export const SQUID_REFUSES = 'refused.test'

async function startNode(name: string, file: string): Promise<Contestant> {
  const port = await freePort()
  const child = launch(process.execPath, [join(import.meta.dirname, file), String(port)])
  return ready({ name, version: process.version, port, child })
}

/** `http.Server` 'connect' and two pipes: no verdict, no log. */
export const startPlainRelay = (): Promise<Contestant> =>
  startNode('plain Node relay', 'plain-relay.ts')

/** `http.Server` and `http-proxy`: no verdict, no log. */
export const startPlainForward = (): Promise<Contestant> =>
  startNode('plain Node http-proxy', 'plain-forward.ts')

/** No lists, but one name refused; no cache, an access log. */
export async function startSquid(): Promise<Contestant | undefined> {
  const version = versionOf('squid', '--version')
  if (version === undefined) return undefined
  const dir = writableDir('log')
  const port = await freePort()
  const lines = [
    `http_port 127.0.0.1:${port}`,
    `acl refused dstdomain .${SQUID_REFUSES}`,
    'http_access deny refused',
    'http_access allow all',
    'cache deny all',
    `pid_filename ${dir}/pid`,
    `access_log stdio:${dir}/log/access.log`,
    `cache_log ${dir}/log/cache.log`,
    `coredump_dir ${dir}`,
    `hosts_file ${dir}/hosts`,
    'shutdown_lifetime 0 seconds',
    'visible_hostname bench',
    '',
  ]
  writeFileSync(join(dir, 'squid.conf'), lines.join('\n'))
  writeFileSync(join(dir, 'hosts'), `127.0.0.1 ${NAME}\n`)
  const args = ['-N', '-n', `preau${process.pid}`, '-f', join(dir, 'squid.conf')]
  const child = launch('squid', args)
  return ready({ name: 'squid, no lists', version, port, child, dir, host: NAME })
}

/** No filter and no log (its own syncs the disk at every line, which would triple its cost); as many clients as come. */
export async function startTinyproxy(): Promise<Contestant | undefined> {
  const version = versionOf('tinyproxy', '-v')
  if (version === undefined) return undefined
  const dir = writableDir('log')
  const port = await freePort()
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    'Timeout 600',
    'MaxClients 10000',
    `LogFile "${dir}/log/log"`,
    'LogLevel Error',
    '',
  ]
  writeFileSync(join(dir, 'tinyproxy.conf'), lines.join('\n'))
  const child = launch('tinyproxy', ['-d', '-c', join(dir, 'tinyproxy.conf')])
  return ready({ name: 'tinyproxy, no lists, no log', version, port, child, dir })
}

const E2GUARDIAN = '/etc/e2guardian'

/** As its package comes, with the lists of its package; only addresses, files and the terminal are ours. */
export async function startE2guardian(): Promise<Contestant | undefined> {
  const version = versionOf('e2guardian', '-v')
  if (version === undefined) return undefined
  const dir = writableDir('log')
  const port = await freePort()
  const home = join(dir, 'etc')
  cpSync(E2GUARDIAN, home, { recursive: true })
  for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    // Not as text: phrase lists are in many encodings.
    const before = readFileSync(file, 'latin1')
    writeFileSync(file, before.replaceAll(E2GUARDIAN, home), 'latin1')
  }
  const conf = join(home, 'e2guardian.conf')
  const others = readFileSync(conf, 'latin1').replace(
    /^(?:filterip|filterports|checkip|mapportstoips|transparenthttpsport) .*$/gm,
    '',
  )
  const ours = [
    'filterip = 127.0.0.1',
    `filterports = ${port}`,
    `loglocation = '${dir}/log/access.log'`,
    `dstatlocation = '${dir}/log/dstats.log'`,
    `pidfilename = '${dir}/log/pid'`,
    `ipcfilename = '${dir}/log/ipc'`,
    `urlipcfilename = '${dir}/log/urlipc'`,
    '',
  ]
  writeFileSync(conf, `${others}\n${ours.join('\n')}`, 'latin1')
  const child = launch('e2guardian', ['-N', '-c', conf])
  return ready({ name: "e2guardian, its package's lists", version, port, child, dir })
}

/** Peers started by root drop to a user of their own, who must be able to write here. */
function writableDir(inner: string): string {
  const dir = scratch()
  mkdirSync(join(dir, inner))
  for (const folder of [dir, join(dir, inner)]) chmodSync(folder, 0o777)
  return dir
}
