/** A real systemd that runs `deploy/preau.service`: the first process of its own namespaces, of which nothing is left at the end. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { runProgram, type Finished } from '../product.ts'
import { until } from '../supervised.ts'

const ROOT = join(import.meta.dirname, '../../..')
const SYSTEMD = '/lib/systemd/systemd'
const UNITS = '/lib/systemd/system'
/** Of all the units of a Debian these only: what else stands there would change this machine. */
const TARGETS = ['sysinit', 'basic', 'shutdown', 'network-online', 'multi-user']
const JOURNAL = ['systemd-journald.service', 'systemd-journald.socket']

const NAMESPACES = [
  '--mount',
  '--propagation=private',
  '--uts',
  '--ipc',
  '--net',
  '--cgroup',
  '--pid',
]
// Whatever ends this process ends all of it.
const UNSHARE = ['--pdeathsig=KILL', 'unshare', ...NAMESPACES, '--fork', '--kill-child']

export interface Booted {
  /** Runs a program inside. */
  readonly run: (...command: string[]) => Promise<Finished>
  readonly systemctl: (...args: string[]) => Promise<Finished>
  /** Asks for a page on ever new connections; `stop` answers how often each outcome came. */
  readonly ask: () => { stop(): Promise<Record<string, number>> }
}

/** Why no systemd can be started here; false where one can. */
export function whyNotBooted(): string | false {
  if (process.geteuid?.() !== 0) return 'only root may start a systemd'
  if (!existsSync(SYSTEMD)) return 'systemd is not here'
  if (!existsSync('/proc/sys/net/ipv4/tcp_migrate_req')) return 'the kernel is older than 5.14'
  if (cgroupHere() === undefined) return 'there is no cgroup of version 2'
  const overlay =
    'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w overlay /mnt'
  const { status, stderr } = spawnSync('setpriv', [...UNSHARE, 'sh', '-c', overlay], {
    encoding: 'utf8',
  })
  return status === 0 ? false : `no namespaces and overlays: ${stderr.trim()}`
}

/** The folder of our own cgroup of version 2. */
function cgroupHere(): string | undefined {
  const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8'))?.[1]
  const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
  return mount === undefined || path === undefined ? undefined : join(mount, path)
}

/** `settings`: lines that replace those of the section `[Service]`. */
export async function boot(t: Test, config: object, settings: string): Promise<Booted> {
  const dir = mkdtempSync(join(tmpdir(), 'preau-booted-'))
  const configFile = join(dir, 'config.json')
  writeFileSync(configFile, JSON.stringify(config))
  const units = writeUnits(dir, settings)
  const cgroup = join(cgroupHere() ?? '', `preau-test-${process.pid}`)
  mkdirSync(cgroup)
  const enter = 'echo $$ > "$0/cgroup.procs"; exec "$@"'
  const boot = ['bash', join(import.meta.dirname, 'boot.sh'), ROOT, units, configFile]
  const child = spawn('sh', ['-c', enter, cgroup, 'setpriv', ...UNSHARE, ...boot])
  let said = ''
  child.stdout.on('data', chunk => (said += String(chunk)))
  child.stderr.on('data', chunk => (said += String(chunk)))
  t.teardown(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await until(() => isRemoved(cgroup))
    rmSync(dir, { recursive: true, force: true })
  })
  const first = (): string =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
  // Before that its root is still that of this machine.
  const isUp = (): boolean =>
    existsSync(`/proc/${first()}/root/etc/preau-units`) &&
    existsSync(`/proc/${first()}/root/run/systemd/private`)
  await until(() => child.exitCode !== null || isUp())
  if (child.exitCode !== null || !isUp()) throw new Error(`systemd did not start: ${said}`)
  // Not our environment: tap's has every Node load a file that is not there.
  const environment = ['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin']
  const place = ['-t', first(), '-m', '-u', '-i', '-n', '-C', '-p', '--root', '--wd=/']
  const inside = [...place, ...environment]
  const run = (...command: string[]) => runProgram('nsenter', [...inside, ...command])
  return {
    run,
    systemctl: (...args) => run('systemctl', ...args),
    ask() {
      const script = '/opt/preau/test/support/booted/ask-steadily.ts'
      const command = [...inside, '/opt/preau/node_modules/.bin/node', script]
      const asking = spawn('nsenter', command, { stdio: ['pipe', 'pipe', 'inherit'] })
      let outcomes = ''
      asking.stdout.on('data', chunk => (outcomes += String(chunk)))
      const closed = once(asking, 'close')
      return {
        async stop() {
          asking.stdin.end()
          await closed
          const all = JSON.parse(outcomes) as Record<string, unknown[]>
          return Object.fromEntries(Object.entries(all).map(([name, { length }]) => [name, length]))
        },
      }
    },
  }
}

function writeUnits(dir: string, settings: string): string {
  const units = join(dir, 'units')
  mkdirSync(join(units, 'preau.service.d'), { recursive: true })
  const alone = '[Unit]\nDefaultDependencies=no\n'
  for (const name of TARGETS) writeFileSync(join(units, `${name}.target`), alone)
  writeFileSync(join(units, 'test.target'), `${alone}Wants=systemd-journald.service\n`)
  for (const name of JOURNAL) copyFileSync(join(UNITS, name), join(units, name))
  copyFileSync(join(ROOT, 'deploy/preau.service'), join(units, 'preau.service'))
  writeFileSync(join(units, 'preau.service.d/test.conf'), `[Service]\n${settings}\n`)
  return units
}

/** The folders of cgroups go from within outwards, once nobody is in them. */
function isRemoved(cgroup: string): boolean {
  const folders = [cgroup, ...globSync(`${cgroup}/**/`)].toSorted((a, b) => b.length - a.length)
  try {
    for (const folder of folders) if (existsSync(folder)) rmdirSync(folder)
    return true
  } catch {
    return false
  }
}
