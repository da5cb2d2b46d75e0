/** A supervisor that is killed, or told to leave, takes nobody along: its processes serve until the next one's do. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { freePort } from '../support/free-port.ts'
import { failures, openLoadOrigins, served, startLoad, type LoadOrigins } from '../support/load.ts'
import { notLinux } from '../support/process-state.ts'
import { startProduct, type Product } from '../support/product.ts'
import {
  ask,
  changeConfig,
  healthOf,
  isAlive,
  isCarrying,
  isOver,
  openTunnel,
  proxyPort,
  reload,
  until,
} from '../support/supervised.ts'

const PER_SECOND = 150

interface House {
  readonly origins: LoadOrigins
  /** Starts a supervisor on the folder and the ports of the house. */
  readonly start: (limits?: object) => Promise<Product>
}

async function build(t: Test): Promise<House> {
  // As deep as a data folder may lie: the address of a Unix socket has 107 bytes at most.
  const dir = mkdtempSync(join(tmpdir(), `preau-${'deep-'.repeat(30)}`))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const proxy = { port: await freePort(), connectPorts: [443, '1024-65535'] }
  const admin = { port: await freePort() }
  return {
    origins: await openLoadOrigins(t),
    start: (limits = {}) =>
      startProduct(t, {
        dir,
        names: ['free.test'],
        config: { workers: 2, proxy, admin, limits: { drainTimeoutMs: 500, ...limits } },
        mayLeaveOrphans: true,
      }),
  }
}

/** ip-sysctl(7): the queue of a socket that closes goes to the others of its port. */
const isMigrating = (): boolean =>
  readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '1'

async function partsUnwell({ adminUrl }: Product): Promise<string[]> {
  const answer = await fetch(`${adminUrl}/readyz`, { headers: { connection: 'close' } })
  return ((await answer.json()) as { warn: string[] }).warn
}

async function goes(product: Product, signal: 'SIGKILL' | 'SIGUSR2'): Promise<void> {
  product.process.kill(signal)
  await once(product.process, 'exit')
}

for (const signal of ['SIGKILL', 'SIGUSR2'] as const) {
  t.test(
    `${signal} to the supervisor, again and again: nobody is refused, and tunnels go on`,
    { skip: notLinux },
    async t => {
      const { start, origins } = await build(t)
      let product = await start()
      const load = startLoad(proxyPort(product), origins, PER_SECOND)
      const tunnel = await openTunnel(t, product, origins.echoPort)
      const first = product.children()
      for (let i = 0; i < 3; i++) {
        const before = product.children()
        await elapsed(500)
        await goes(product, signal)
        if (signal === 'SIGUSR2') t.equal(product.process.exitCode, 0)
        t.equal(await ask(product), '403', 'a verdict without a supervisor')
        t.equal(await healthOf(product), 200, 'the admin app without a supervisor')
        product = await start()
        t.equal(await ask(product), '403')
        t.equal(await healthOf(product), 200)
        t.notOk(product.children().some(pid => before.includes(pid)))
      }
      const outcomes = await load.stop()
      t.comment(
        `measured: ${served(outcomes)} connections served around three of ${signal}, others ${JSON.stringify(failures(outcomes))}`,
      )
      const { ECONNRESET: reset = 0, ...others } = failures(outcomes)
      t.strictSame(others, {}, 'nobody found a port that was closed')
      // Who has connected to a socket while it closes, where the kernel gives nobody else its queue.
      t.ok(reset <= (isMigrating() ? 0 : served(outcomes) / 100), `${reset} were reset`)
      t.ok(served(outcomes) > 100)
      t.ok(await isCarrying(tunnel), 'a tunnel of before the first one')
      t.equal(first.filter(isAlive).length, 1, 'only who has the tunnel is still there')
      t.match(
        await reload(product),
        'sans changement',
        'the new one is a supervisor like any other',
      )
      t.ok(await isCarrying(tunnel))
      tunnel.end()
      await until(() => !first.some(isAlive))
      t.notOk(first.some(isAlive), 'who has let the last tunnel end, ends')
    },
  )
}

t.test('a supervisor that stops ends what it took over, too', { skip: notLinux }, async t => {
  const { start, origins } = await build(t)
  const first = await start()
  const tunnel = await openTunnel(t, first, origins.echoPort)
  const orphans = first.children()
  await goes(first, 'SIGKILL')
  const second = await start()
  t.ok(await isCarrying(tunnel))
  const all = [...orphans, ...second.children()]
  t.equal(await second.stop(), 0)
  t.notOk(all.some(isAlive), 'nobody is left')
  await until(() => isOver(tunnel))
  t.ok(isOver(tunnel))
})

t.test(
  'where nobody comes they end by themselves, and at once where they are told',
  { skip: notLinux },
  async t => {
    const { start, origins } = await build(t)
    const first = await start({ orphanTimeoutMs: 8_000 })
    const tunnel = await openTunnel(t, first, origins.echoPort)
    const orphans = first.children()
    await goes(first, 'SIGKILL')
    t.ok(await isCarrying(tunnel))
    const isWarned = async (): Promise<boolean> => (await partsUnwell(first)).includes('workers')
    await until(isWarned)
    t.ok(await isWarned(), 'monitoring and the DSI hear of it')
    await until(() => !orphans.some(isAlive))
    t.notOk(orphans.some(isAlive), 'their time is up')
    t.ok(isOver(tunnel))
    const second = await start()
    const told = second.children()
    await goes(second, 'SIGKILL')
    await until(() => second.said().split('the supervisor has gone').length > told.length)
    for (const pid of told) process.kill(pid, 'SIGTERM')
    await until(() => !told.some(isAlive))
    t.notOk(told.some(isAlive), 'SIGTERM ends them')
  },
)

t.test(
  'a successor that cannot start leaves them as they are, for the next one',
  { skip: notLinux },
  async t => {
    const { start } = await build(t)
    const first = await start()
    const orphans = first.children()
    await goes(first, 'SIGKILL')
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    t.teardown(() => taken.close())
    const { port } = taken.address() as { port: number }
    changeConfig(first, { admin: { port } })
    const { code, stderr } = await first.cli('start')
    t.not(code, 0, stderr)
    t.equal(await ask(first), '403')
    t.ok(orphans.every(isAlive))
    const second = await start()
    await until(() => !orphans.some(isAlive))
    t.notOk(orphans.some(isAlive))
    t.equal(await ask(second), '403')
  },
)
