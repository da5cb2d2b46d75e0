/** The whole product while its Redis is away: whoever comes back decides as before, and everything goes on by itself. */
import t from 'tap'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import { runProgram, startProduct, type Product } from '../support/product.ts'
import { startRedis } from '../support/redis.ts'

// Real outages, one after the other.
t.setTimeout(150_000)
t.testdir()
const redis = await startRedis(t)
const dir = mkdtempSync(join(tmpdir(), 'preau-last-'))
t.teardown(() => rmSync(dir, { recursive: true, force: true }))
const options = { dir, config: { store: redis.url } }

/** The status of a refused site, and how long its page took; 0: no answer. */
async function ask(product: Product): Promise<{ status: number; ms: number; body: string }> {
  const startedAt = performance.now()
  const args = [
    '-s',
    '-m',
    '10',
    '-x',
    product.proxyUrl,
    '-w',
    '\n%{http_code}',
    'http://www.jeux.fr/',
  ]
  const { stdout } = await runProgram('curl', args)
  const [, body = '', status = '0'] = /^([^]*)\n(\d+)$/.exec(stdout) ?? []
  return { status: Number(status), ms: performance.now() - startedAt, body }
}

interface Ready {
  readonly unfit: string[]
  readonly parts: { readonly lastState: { readonly processes: number } }
}

async function ready(product: Product): Promise<Ready & { readonly code: number }> {
  const answer = await fetch(`${product.adminUrl}/readyz`)
  return { ...((await answer.json()) as Ready), code: answer.status }
}

async function until(isTrue: () => Promise<boolean>, withinMs: number): Promise<number> {
  const startedAt = performance.now()
  while (!(await isTrue().catch(() => false))) {
    if (performance.now() - startedAt > withinMs) return Infinity
    await elapsed(50)
  }
  return performance.now() - startedAt
}

await t.test('processes that are killed while Redis is down come back and decide', async t => {
  const product = await startProduct(t, options)
  t.equal((await ask(product)).status, 403)
  t.ok((await until(async () => (await ready(product)).code === 200, 10_000)) < 10_000)
  await redis.kill()
  const before = product.children()
  for (const pid of before) process.kill(pid, 'SIGKILL')
  const backMs = await until(async () => (await ask(product)).status === 403, 10_000)
  t.comment(`measured: deciding again ${Math.round(backMs)} ms after kill -9 of all processes`)
  t.ok(backMs < 10_000)
  const page = await ask(product)
  t.equal(page.status, 403)
  t.match(page.body, 'n’est pas possible pour le moment')
  t.comment(`measured: page in ${Math.round(page.ms)} ms`)
  const adminMs = await until(
    async () => (await fetch(`${product.adminUrl}/healthz`)).status === 200,
    15_000,
  )
  t.comment(`measured: admin app alive after ${Math.round(adminMs)} ms more`)
  t.equal((await fetch(`${product.proxyUrl}/healthz`)).status, 200)
  const toldMs = await until(async () => {
    const { code, unfit, parts } = await ready(product)
    return code === 503 && unfit.join() === 'store' && parts.lastState.processes === 2
  }, 10_000)
  t.ok(toldMs < 10_000, 'and says what is wrong, and that both decide on their last state')
  t.equal((await fetch(`${product.adminUrl}/sign-in`)).status, 503, 'no page pretends')
  t.match(product.said(), /the last one stays in force, of 20\d\d-/)
  await redis.start()
  const convergedMs = await until(async () => {
    const { code, parts } = await ready(product)
    return code === 200 && parts.lastState.processes === 0
  }, 15_000)
  t.comment(`measured: all is well ${Math.round(convergedMs)} ms after Redis is back`)
  t.ok(convergedMs < 5_000)
  const openMs = await until(
    async () => (await ask(product)).body.includes('Demander le déblocage</button>'),
    5_000,
  )
  t.ok(openMs < 5_000, 'and the page offers its button again')
  await product.stop()
})

await t.test('a silent Redis holds up nobody', async t => {
  const product = await startProduct(t, options)
  redis.pause()
  const page = await ask(product)
  t.equal(page.status, 403)
  t.comment(`measured: page in ${Math.round(page.ms)} ms`)
  t.ok(page.ms < 2_000)
  const startedAt = performance.now()
  const { stdout } = await runProgram('curl', [
    '-s',
    '-x',
    product.proxyUrl,
    '-X',
    'POST',
    '-w',
    '\n%{http_code}',
    'http://www.jeux.fr/.preau/unblock',
  ])
  t.match(stdout, /\n503$/)
  t.comment(`measured: a click is answered after ${Math.round(performance.now() - startedAt)} ms`)
  t.ok(performance.now() - startedAt < 4_000)
  const alive = performance.now()
  t.equal((await fetch(`${product.adminUrl}/healthz`)).status, 200)
  t.ok(performance.now() - alive < 1_000)
  t.ok((await until(async () => (await ready(product)).code === 503, 10_000)) < 10_000)
  const [worker = 0] = product.children()
  process.kill(worker, 'SIGKILL')
  const backMs = await until(async () => (await ask(product)).status === 403, 10_000)
  t.comment(
    `measured: a worker is back ${Math.round(backMs)} ms after kill -9 while Redis is silent`,
  )
  t.ok(backMs < 10_000)
  redis.resume()
  const convergedMs = await until(async () => (await ready(product)).code === 200, 10_000)
  t.comment(`measured: all is well ${Math.round(convergedMs)} ms after Redis speaks again`)
  t.ok(convergedMs < 5_000)
  await product.stop()
})

await t.test(
  'preau start begins on the last state, says so, and goes on when Redis is back',
  async t => {
    await redis.kill()
    const product = await startProduct(t, options)
    t.match(
      product.said(),
      /La base ne répond pas \(.*Le filtre démarre sur son dernier état connu, du /,
    )
    t.equal((await ask(product)).status, 403)
    t.equal((await fetch(`${product.adminUrl}/healthz`)).status, 200)
    await redis.start()
    const convergedMs = await until(async () => (await ready(product)).code === 200, 10_000)
    t.comment(`measured: all is well ${Math.round(convergedMs)} ms after Redis is back`)
    t.ok(convergedMs < 5_000)
    await product.stop()
  },
)

await t.test('an emptied Redis gets no default policy over the city’s own', async t => {
  const product = await startProduct(t, options)
  redis.cli('flushall')
  for (const pid of product.children()) process.kill(pid, 'SIGKILL')
  const backMs = await until(async () => (await ask(product)).status === 403, 10_000)
  t.ok(backMs < 10_000, 'who runs goes on')
  await product.stop()
  const { code, stderr } = await product.cli('start')
  t.equal(code, 2)
  t.match(stderr, /La base est vide \(mais .*last-state\.json garde l’état de/)
  t.equal(redis.cli('keys', '*policy*'), '')
  t.match(
    readFileSync(join(dir, 'data', 'last-state.json'), 'utf8'),
    /^\{"format":"preau-last-state-1"/,
  )
})

await t.test('without a last state an unreachable store refuses the start, as before', async t => {
  await redis.kill()
  rmSync(join(dir, 'data', 'last-state.json'))
  const { writeConfig, runCli } = await import('../support/product.ts')
  const { code, stderr } = await runCli(writeConfig(dir, options), ['start'])
  t.equal(code, 2)
  t.match(stderr, /n’a pas répondu|ne répond pas|impossible/i)
})
