/** systemd hears when Préau is ready, rereads its configuration, lives and stops; a real socket and the real command. */
import t, { type Test } from 'tap'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProduct } from '../support/product.ts'
import { ask, reload, until } from '../support/supervised.ts'

const UNIT = join(import.meta.dirname, '../../deploy/preau.service')

const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0
const missing = (command: string): string | false =>
  works(command, '--version') ? false : `${command} is not here`
const skip = missing('systemd-notify') || missing('python3')

/** Node has no datagram socket of the Unix kind: Python's, which prints one line a word that it hears. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    for word in s.recv(4096).decode().split():
        # With which the command waits until it has been heard.
        if word != 'BARRIER=1':
            print(word, flush=True)
`

interface Manager {
  readonly socket: string
  readonly heard: string[]
}

async function openManager(t: Test): Promise<Manager> {
  const dir = mkdtempSync(join(tmpdir(), 'preau-notify-'))
  const socket = join(dir, 'notify')
  const child = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  const heard: string[] = []
  child.stdout.on('data', chunk => heard.push(...String(chunk).split('\n').filter(Boolean)))
  t.teardown(async () => {
    child.kill()
    await once(child, 'exit')
    rmSync(dir, { recursive: true, force: true })
  })
  await until(() => heard.includes('bound'))
  heard.length = 0
  return { socket, heard }
}

t.test('each state is told in its order', { skip }, async t => {
  const { socket, heard } = await openManager(t)
  const product = await startProduct(t, { env: { NOTIFY_SOCKET: socket } })
  await until(() => heard.includes('READY=1'))
  t.strictSame(heard, ['READY=1'])
  await reload(product)
  await until(() => heard.length >= 4)
  t.match(heard.slice(1), ['RELOADING=1', /^MONOTONIC_USEC=\d+$/, 'READY=1'])
  t.equal(await product.stop(), 0)
  t.equal(heard.at(-1), 'STOPPING=1')
  t.notOk(heard.includes('WATCHDOG=1'), 'no watchdog was asked for')
})

t.test('a watchdog hears twice in its time that the supervisor lives', { skip }, async t => {
  const { socket, heard } = await openManager(t)
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '1000000' }
  await startProduct(t, { env })
  await until(() => heard.filter(word => word === 'WATCHDOG=1').length >= 3)
  t.ok(heard.filter(word => word === 'WATCHDOG=1').length >= 3)
})

t.test('where nobody hears, it is said once, and Préau serves', async t => {
  const env = { NOTIFY_SOCKET: '/nowhere/notify', PATH: '/nowhere', WATCHDOG_USEC: '100000' }
  const product = await startProduct(t, { env })
  await until(() => product.said().includes('systemd is not told'))
  t.equal(await ask(product), '403')
  t.equal(product.said().split('systemd is not told').length, 2)
})

t.test('the unit file is one that systemd takes', { skip: missing('systemd-analyze') }, async t => {
  const dir = mkdtempSync(join(tmpdir(), 'preau-unit-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', UNIT], {
    encoding: 'utf8',
  })
  // What it starts is not installed here; anything else is a fault of the file.
  const faults = stderr
    .split('\n')
    .filter(line => line.includes('preau.service') && !line.includes('is not executable'))
  t.strictSame(faults, [], `status ${status}`)
  const unit = readFileSync(UNIT, 'utf8')
  for (const line of ['Type=notify', 'NotifyAccess=all', 'KillMode=process', 'OOMPolicy=continue'])
    t.match(unit, line)
})
