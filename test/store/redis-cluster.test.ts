/** Redis as a cluster: all that the store has stands in one slot, on the node that has it now. */
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../src/store/open-store.ts'
import { note, storeContract } from '../contract/store.ts'
import { freePort } from '../support/free-port.ts'
import { redisConfig } from '../support/redis-config.ts'
import { startCluster } from '../support/redis.ts'
import { eventually, latest, unavailable } from './redis-world.ts'

const nodes = await startCluster(t)
const [first, second, third] = nodes
if (first === undefined || second === undefined || third === undefined)
  throw new Error('no cluster')
/** One of the addresses is off. */
const url = `redis-cluster://127.0.0.1:${await freePort()},127.0.0.1:${first.port}`

let places = 0
storeContract(t, 'Redis Cluster', () => {
  // Each place is another slot, on any of the nodes.
  const config = redisConfig(url, { prefix: `place${++places}` })
  return () => openStore(config, { check: true })
})

t.test('a slot that moves to another node: no commit is halved, and the store follows', async t => {
  const config = redisConfig(url, { prefix: 'moving', commandTimeoutMs: 600 })
  const store = await openStore(config, { check: true })
  t.teardown(() => store.close())
  let told = 0
  store.watch(() => (told += 1))
  for (let i = 0; i < 20; i++) await store.commit(note(), [latest(`k${i}`)])

  const slot = first.cli('cluster', 'keyslot', '{moving}:seq')
  const has = nodes.find(
    node =>
      node.cli('dbsize') !== '0' && isOwner(node.cli('cluster', 'slots'), node.port, Number(slot)),
  )
  const to = nodes.find(node => node !== has)
  if (has === undefined || to === undefined) throw new Error('nobody has the slot')
  const [hasId, toId] = [has.cli('cluster', 'myid'), to.cli('cluster', 'myid')]
  to.cli('cluster', 'setslot', slot, 'importing', hasId)
  has.cli('cluster', 'setslot', slot, 'migrating', toId)
  const move = (key: string) => has.cli('migrate', '127.0.0.1', String(to.port), key, '0', '1000')
  const entries = Number(has.cli('xlen', '{moving}:audit'))
  // Half of the keys have gone: what needs one of them is refused before anything is written.
  move('{moving}:audit')
  await t.rejects(store.commit(note(), [latest('half')]), unavailable())
  t.equal(has.cli('hexists', '{moving}:doc:latest', 'half'), '0')
  t.equal(has.cli('get', '{moving}:seq'), String(entries), 'the counter has not moved on')
  for (const key of has.cli('cluster', 'getkeysinslot', slot, '100').split('\n')) move(key)
  for (const node of [to, has, ...nodes]) node.cli('cluster', 'setslot', slot, 'node', toId)

  await eventually(() => store.commit(note(), [latest('after')]))
  t.equal(await store.count('latest'), 21)
  t.equal((await store.tail({ limit: 100 })).length, 21)
  t.ok(told > 0)
  t.match(to.cli('hget', '{moving}:doc:latest', 'after'), /"r"/)
})

t.test('a node that is silent costs one attempt', async t => {
  const silent = nodes.find(
    node => !isOwner(node.cli('cluster', 'slots'), node.port, slotOf('awake')),
  )
  const awake = nodes.find(node => node !== silent)
  if (silent === undefined || awake === undefined) throw new Error('one node has all')
  const awakeUrl = `redis-cluster://127.0.0.1:${silent.port},127.0.0.1:${awake.port}`
  silent.pause()
  t.teardown(() => silent.resume())
  const config = redisConfig(awakeUrl, { prefix: 'awake', commandTimeoutMs: 400 })
  const store = await openStore(config, { check: true })
  t.teardown(() => store.close())
  await store.commit(note(), [latest('k')])
  t.ok(await store.get('latest', 'k'))
  silent.resume()
})

t.test('while the node of the slot is away the store says so, and comes back with it', async t => {
  const config = redisConfig(url, { prefix: 'away', commandTimeoutMs: 600 })
  const store = await openStore(config, { check: true })
  t.teardown(() => store.close())
  await store.commit(note(), [latest('k')])
  const slot = slotOf('away')
  const owner = nodes.find(node => isOwner(first.cli('cluster', 'slots'), node.port, slot))
  if (owner === undefined) throw new Error('nobody has the slot')
  await owner.kill()
  await wait(100)
  await t.rejects(store.get('latest', 'k'), unavailable())
  await owner.start()
  await t.resolves(eventually(() => store.commit(note(), [latest('k2')])))
  t.equal(await store.count('latest'), 2)
})

const slotOf = (prefix: string): number =>
  Number(first.cli('cluster', 'keyslot', `{${prefix}}:seq`))

/** Reads what redis-cli prints of CLUSTER SLOTS: first, last, then host, port and id of each node. */
function isOwner(text: string, port: number, slot: number): boolean {
  const lines = text.split('\n')
  return lines.some((line, i) => {
    if (line !== String(port)) return false
    return Number(lines[i - 3]) <= slot && slot <= Number(lines[i - 2])
  })
}
