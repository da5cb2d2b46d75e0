/** The hourly cleaning on a Redis that a whole city works on: it never waits long, and two machines do not clean twice. */
import t from 'tap'
import { setImmediate as turn } from 'node:timers/promises'
import { configSchema } from '../src/config.ts'
import { cleanRecords, takeTurn } from '../src/housekeeping.ts'
import type { Change } from '../src/policy/document.ts'
import { openStore } from '../src/store/open-store.ts'
import { startRedis } from './support/redis.ts'
import { redisConfig } from './support/redis-config.ts'
import { host } from './support/snapshot.ts'

const NOW = Date.parse('2026-11-23T10:00:00Z')
const DAY_MS = 86_400_000
const RECORDS = 5_000

const warning = (i: number): Change => {
  const at = NOW - DAY_MS + i
  const hex = at.toString(16).padStart(12, '0')
  const id = `${hex.slice(0, 8)}-${hex.slice(8)}-${i}`
  const scope = { kind: 'pc', ip: host('10.0.0.1') } as const
  const fixed = { id, host: host(`a${i}.blog.test`), scope, origin: 'acknowledged' } as const
  return { kind: 'grant', id, body: { ...fixed, by: 'pc:10.0.0.1', at, until: at + 1 } }
}

t.test('a day of passed warnings goes without making anybody wait', async t => {
  const redis = await startRedis(t)
  const open = async () => {
    const store = await openStore(redisConfig(redis.url), { check: true })
    t.teardown(() => store.close())
    return store
  }
  const [store, other, user] = [await open(), await open(), await open()]
  for (let i = 0; i < RECORDS; i += 500) {
    const changes = Array.from({ length: 500 }, (_, k) => warning(i + k))
    await store.commit({ by: 'test', action: 'test', at: NOW }, changes)
  }
  const config = configSchema.parse({ dataDir: t.testdir() })
  const options = { config, clock: () => NOW, logger: { warn: () => t.fail('no word in the log') } }
  const cleaning = new AbortController()
  const waits: number[] = []
  const work = async (): Promise<void> => {
    while (!cleaning.signal.aborted) {
      const startedAt = performance.now()
      await user.count('request', 'pending')
      waits.push(performance.now() - startedAt)
      await turn()
    }
  }
  const working = work()
  const done = await Promise.all([
    takeTurn({ ...options, store }),
    takeTurn({ ...options, store: other }),
  ])
  cleaning.abort()
  await working
  t.strictSame(
    done.toSorted((a, b) => a - b),
    [0, RECORDS],
    'one machine has done it all',
  )
  t.equal(await store.count('grant'), 0)
  const entries = await store.tail({ limit: 1_000 })
  t.equal(entries.filter(({ action }) => action === 'housekeeping').length, RECORDS / 100)
  const longest = Math.max(...waits)
  const sorted = waits.toSorted((a, b) => a - b)
  const typical = sorted[Math.floor(sorted.length / 2)] ?? 0
  t.comment(
    `measured: ${waits.length} reads meanwhile, ${typical.toFixed(1)} ms each, the longest ${longest.toFixed(1)} ms`,
  )
  t.equal(await cleanRecords({ ...options, store }), 0)
})
