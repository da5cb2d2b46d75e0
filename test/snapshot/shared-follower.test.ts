/** What decides on a machine of several is what their Redis says now, whatever it said before it was out of sight. */
import t, { type Test } from 'tap'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import pino from 'pino'
import { loadConfig } from '../../src/config.ts'
import { install } from '../../src/install.ts'
import { CURRENT } from '../../src/policy/document.ts'
import { addRule } from '../../src/policy/edit-rules.ts'
import { decide } from '../../src/policy/verdict.ts'
import { followSnapshot } from '../../src/snapshot/follower.ts'
import { openStore } from '../../src/store/open-store.ts'
import { startRedis } from '../support/redis.ts'
import { eventually } from '../support/proxy-world.ts'
import { host } from '../support/snapshot.ts'

const clock = Date.now
const PEOPLE = { by: 'test', action: 'policy.import', at: 0 }
const KEYS = ['doc:policy', 'ids:policy', 'revisions', 'audit', 'seq']

/** A line to Redis that can be cut and mended; nobody is told of it but those whose connections it carries. */
async function startLine(t: Test, port: number) {
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer(socket => {
    if (isCut) {
      socket.destroy()
      return
    }
    const onward = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      open.add(one)
      one
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(one)
          other.destroy()
        })
      one.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    isCut = true
    for (const socket of open) socket.destroy()
  }
  t.teardown(() => {
    cut()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, cut, mend: () => (isCut = false) }
}

// Which of its connections a process gets back first is chance.
for (const turn of [1, 2, 3, 4]) {
  t.test(
    `a policy that a failover has lost does not go on deciding because the next one has its number (${turn})`,
    async t => {
      const redis = await startRedis(t)
      const line = await startLine(t, redis.port)
      const dataDir = t.testdir()
      const config = loadConfig(undefined, { PREAU_DATA_DIR: dataDir, PREAU_STORE: redis.url })
      const { store: elsewhere, catalogue } = await install(config, clock)
      const here = await openStore({ ...config, store: `redis://127.0.0.1:${line.port}` })
      const logger = pino({ level: 'silent' })
      const current = await followSnapshot({ store: here, config, catalogue, clock, logger })
      t.teardown(async () => {
        await current.close()
        await Promise.all([here.close(), elsewhere.close()])
      })
      const action = (name: string): string => {
        const client = current.snapshot.networks(host('127.0.0.1'))
        return decide(current.snapshot, client, { host: host(name), port: 443 }, clock()).action
      }
      const block = async (name: string): Promise<void> => {
        const policy = await elsewhere.get('policy', CURRENT)
        if (policy === undefined) throw new Error('no policy')
        const rule = { host: host(name), action: 'block', reason: 'a test' } as const
        await elsewhere.commit(PEOPLE, [
          {
            kind: 'policy',
            id: CURRENT,
            expects: policy.version,
            body: addRule(policy.body, rule),
          },
        ])
      }
      for (const key of KEYS) redis.cli('COPY', `{preau}:${key}`, `{preau}:replica:${key}`)
      await block('lost.test')
      await eventually(() => action('lost.test') === 'block')
      line.cut()
      // The master died before its replica had that one; somebody makes another policy, while this machine looks for the new one.
      for (const key of KEYS) redis.cli('RENAME', `{preau}:replica:${key}`, `{preau}:${key}`)
      await block('kept.test')
      line.mend()
      await eventually(() => action('kept.test') === 'block')
      t.equal(action('kept.test'), 'block', 'what Redis says now is in force')
      t.equal(action('lost.test'), 'allow', 'what it has lost is not')
    },
  )
}
