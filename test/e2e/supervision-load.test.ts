/** Case 122: under a constant load of new connections, nobody is refused while processes are replaced or killed. */
import t, { type Test } from 'tap'
import { setTimeout as elapsed } from 'node:timers/promises'
import { failures, openLoadOrigins, served, startLoad } from '../support/load.ts'
import { startProduct, type Product } from '../support/product.ts'
import { residentBytes } from '../support/process-state.ts'
import {
  inOrder,
  isCarrying,
  isOver,
  openTunnel,
  proxyPort,
  reload,
  until,
} from '../support/supervised.ts'

const PER_SECOND = 150
const RELOADS = 4
const KILLS = 6

function start(t: Test, workers: number, handoverTimeoutMs = 60_000): Promise<Product> {
  return startProduct(t, {
    names: ['free.test'],
    config: { workers, limits: { handoverTimeoutMs, drainTimeoutMs: 500 } },
  })
}

t.test('SIGHUP, again and again: no new connection is refused, and old tunnels go on', async t => {
  const origins = await openLoadOrigins(t)
  const product = await start(t, 2)
  const port = proxyPort(product)
  const tunnels = await Promise.all(
    Array.from({ length: 10 }, () => openTunnel(t, product, origins.echoPort)),
  )
  const first = product.children()
  const load = startLoad(port, origins, PER_SECOND)
  await elapsed(500)
  for (let i = 0; i < RELOADS; i++) await reload(product)
  await elapsed(500)
  const outcomes = await load.stop()
  t.comment(`measured: ${served(outcomes)} connections served during ${RELOADS} reloads`)
  t.strictSame(failures(outcomes), {})
  t.ok(served(outcomes) > 100)
  for (const tunnel of tunnels) t.ok(await isCarrying(tunnel), 'a tunnel of before the first one')
  const memory = residentBytes(product.process.pid ?? 0) / 1e6
  t.comment(`measured: the supervisor has ${memory.toFixed(0)} MB`)
  for (const tunnel of tunnels) tunnel.end()
  const isLeft = (): boolean => product.children().some(pid => first.includes(pid))
  await until(() => !isLeft())
  t.notOk(isLeft(), 'who has let the last tunnel end, ends')
})

t.test('a tunnel of a worker that was replaced has its time, and no more', async t => {
  const origins = await openLoadOrigins(t)
  const product = await start(t, 1, 8_000)
  const tunnel = await openTunnel(t, product, origins.echoPort)
  await reload(product)
  t.ok(await isCarrying(tunnel))
  await until(() => isOver(tunnel))
  t.ok(isOver(tunnel), 'it is cut when its time is up')
})

t.test(
  'kill -9 of workers: nobody who connects is refused; only what had been accepted dies',
  async t => {
    const origins = await openLoadOrigins(t)
    const product = await start(t, 2)
    const port = proxyPort(product)
    const load = startLoad(port, origins, PER_SECOND)
    for (let i = 0; i < KILLS; i++) {
      await elapsed(700)
      const [victim = 0] = inOrder(product)
      process.kill(victim, 'SIGKILL')
    }
    await elapsed(1_500)
    const outcomes = await load.stop()
    const { ECONNREFUSED: refused = 0, ...cut } = failures(outcomes)
    const sum = Object.values(cut).reduce((total, count) => total + count, 0)
    t.comment(
      `measured: ${KILLS} kills: ${served(outcomes)} served, ${refused} refused, ${sum} cut with the process that had them`,
    )
    t.equal(refused, 0)
    t.ok(served(outcomes) > 100)
    t.ok(sum < served(outcomes) / 4, `cut: ${JSON.stringify(cut)}`)
  },
)
