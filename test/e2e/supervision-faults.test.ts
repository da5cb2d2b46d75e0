/** Cases 123 and 124: a worker with a defect, or one that hangs, takes its own connections with it and nothing else. */
import t, { type Test } from 'tap'
import { readFileSync } from 'node:fs'
import { setTimeout as elapsed } from 'node:timers/promises'
import { prepareFaults, type Fault, type Faults } from '../support/faults.ts'
import { openLoadOrigins } from '../support/load.ts'
import { notLinux } from '../support/process-state.ts'
import { startProduct, type Product } from '../support/product.ts'
import {
  ask,
  healthOf,
  inOrder,
  isAlive,
  isCarrying,
  openTunnel,
  until,
  untilServed,
} from '../support/supervised.ts'

const HEARTBEAT_MS = 2_000
const hangs = (product: Product): string[] =>
  product
    .said()
    .split('\n')
    .filter(line => line.includes(HANGS))
const DIED = 'a process died'
const HANGS = 'a process hangs'

const count = (product: Product, words: string): number => product.said().split(words).length - 1

async function start(
  t: Test,
  workers: number,
  heartbeatTimeoutMs = 0,
): Promise<{ product: Product; faults: Faults }> {
  const faults = prepareFaults(t.testdir())
  const product = await startProduct(t, {
    names: ['free.test'],
    config: { workers, limits: { heartbeatTimeoutMs, drainTimeoutMs: 500 } },
    env: faults.env,
  })
  return { product, faults }
}

const isStopped = (pid: number): boolean =>
  /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))

/** Waits until all places are filled again, by others than `victim`. */
const untilReplaced = (product: Product, victim: number, size: number): Promise<void> =>
  until(() => !isAlive(victim) && product.children().length === size)

t.test('a defect ends one worker, is told once with its stack, and the others serve', async t => {
  const { product, faults } = await start(t, 2)
  const { echoPort } = await openLoadOrigins(t)
  // The system spreads them: both workers have some.
  const tunnels = await Promise.all(
    Array.from({ length: 16 }, () => openTunnel(t, product, echoPort)),
  )
  const told: Record<Exclude<Fault, 'loop'>, RegExp> = {
    throw: /"msg":"a defect ends this process"/,
    reject: /"origin":"unhandledRejection"/,
    heap: /JavaScript heap out of memory/,
  }
  let isFirst = true
  for (const [fault, words] of Object.entries(told)) {
    const [victim = 0] = inOrder(product)
    const died = count(product, DIED)
    faults.strike(victim, fault as Fault)
    await until(() => !isAlive(victim))
    const ms = await untilServed(product)
    t.comment(`measured: ${fault}: a new connection served ${ms.toFixed(0)} ms after its death`)
    await untilReplaced(product, victim, 3)
    t.match(product.said(), words, fault)
    await until(() => count(product, DIED) > died)
    t.equal(count(product, DIED), died + 1, 'the supervisor tells of it once')
    if (!isFirst) continue
    isFirst = false
    const carrying = (await Promise.all(tunnels.map(isCarrying))).filter(Boolean).length
    t.ok(
      carrying > 0 && carrying < tunnels.length,
      `${carrying} tunnels, of the other worker, go on`,
    )
  }
  t.equal(count(product, 'a defect of the test'), 2, 'once as a message, once in its stack')
  t.match(product.said(), /a defect of the test\\n\s+at /)
  t.equal(await ask(product), '403')
})

t.test('a worker that stands still or turns in a circle is replaced', async t => {
  const { product, faults } = await start(t, 2, HEARTBEAT_MS)
  const hang: Record<string, (pid: number) => void> = {
    'stopped (SIGSTOP)': pid => process.kill(pid, 'SIGSTOP'),
    'in an endless loop': pid => faults.strike(pid, 'loop'),
  }
  for (const [how, strike] of Object.entries(hang)) {
    const [victim = 0] = inOrder(product)
    const startedAt = performance.now()
    strike(victim)
    // What it accepted before dies with it.
    await until(() => isStopped(victim) || faults.isLooping())
    // What the system gives to the one that hangs waits for its successor; the others are served at once.
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(product)))
    const ms = performance.now() - startedAt
    t.comment(
      `measured: ${how}: all of 20 served within ${ms.toFixed(0)} ms of a heartbeat of ${HEARTBEAT_MS}`,
    )
    t.strictSame(new Set(answers), new Set(['403']), how)
    await untilReplaced(product, victim, 3)
    t.notOk(isAlive(victim))
  }
  t.equal(hangs(product).length, 2, hangs(product).join('\n'))
})

t.test('an admin process that hangs is replaced too', async t => {
  const { product } = await start(t, 1, HEARTBEAT_MS)
  const admin = inOrder(product).at(-1) ?? 0
  process.kill(admin, 'SIGSTOP')
  await until(() => !isAlive(admin))
  await until(async () => (await healthOf(product)) === 200)
  t.equal(await healthOf(product), 200)
  t.equal(hangs(product).length, 1, hangs(product).join('\n'))
})

t.test('a machine that stood still blames nobody', { skip: notLinux }, async t => {
  const { product } = await start(t, 2, HEARTBEAT_MS)
  const before = inOrder(product)
  const all = [product.process.pid ?? 0, ...before]
  for (let i = 0; i < 2; i++) {
    for (const pid of all) process.kill(pid, 'SIGSTOP')
    await elapsed(HEARTBEAT_MS * 2)
    // The supervisor wakes first: to it, all the others are still silent.
    for (const pid of all) process.kill(pid, 'SIGCONT')
    await elapsed(HEARTBEAT_MS * 1.5)
  }
  t.strictSame(inOrder(product), before)
  t.strictSame(hangs(product), [])
  t.equal(await ask(product), '403')
})

t.test(
  'a worker that cannot come back gives its connections to the others, and comes back at last',
  async t => {
    const { product, faults } = await start(t, 2)
    faults.poisonStarts('all')
    const [victim = 0] = inOrder(product)
    process.kill(victim, 'SIGKILL')
    // What had come to its socket waits; after some seconds the socket is given up, and that is told to whoever waits.
    await elapsed(6_000)
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(product)))
    t.strictSame(new Set(answers), new Set(['403']), 'the other one has them all')
    const tries = count(product, 'could not be restarted')
    t.ok(tries >= 3 && tries <= 12, `${tries} tries in six seconds: ever fewer`)
    faults.poisonStarts('none')
    await until(() => product.children().length === 3)
    t.equal(product.children().length, 3, 'and it comes back by itself')
    const [, other = 0] = inOrder(product)
    const survivor =
      product
        .children()
        .filter(pid => pid > victim)
        .toSorted((a, b) => a - b)[0] ?? other
    process.kill(survivor, 'SIGSTOP')
    const again = await Promise.race([
      Promise.all(Array.from({ length: 12 }, () => ask(product))),
      elapsed(2_000, undefined),
    ])
    process.kill(survivor, 'SIGCONT')
    t.equal(again, undefined, 'some come to each of the two again')
  },
)
