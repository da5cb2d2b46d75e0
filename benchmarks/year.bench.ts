/** What does a year of a city take, in memory and on the disk; how long is it copied; and does anybody wait meanwhile? */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../src/config.ts'
import { openStore } from '../src/store/open-store.ts'
import type { Store } from '../src/store/store.ts'
import { aGrant, aRequest, openCommit } from './support/city.ts'
import { rounded } from './support/cpu.ts'
import { startRedis } from './support/engines.ts'
import { report } from './support/report.ts'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
/** Two hundred requests a school day. */
const REQUESTS = 36_000
const AT_ONCE = 64
const MEGABYTE = 1e6

/** A request as it goes: opened, seen, approved; its grant is over by now. */
async function live(store: Store, i: number): Promise<void> {
  const request = aRequest(i)
  await store.commit(...openCommit(request))
  const seen = { ...request, seenAt: request.at }
  const note = { by: 'dsi', subject: request.host, at: request.at }
  await store.commit({ ...note, action: 'request.seen' }, [
    { kind: 'request', id: request.id, body: seen },
  ])
  const grant = { ...aGrant(i), endedAt: request.at, endedBy: 'system' }
  const decision = { outcome: 'approved', by: 'dsi', at: request.at, grant: grant.id } as const
  const detail = { scope: 'site', duration: 'day', requestId: request.id, grantId: grant.id }
  await store.commit({ ...note, action: 'request.approve', detail }, [
    { kind: 'request', id: request.id, body: { ...seen, decision } },
    { kind: 'grant', id: grant.id, body: grant },
  ])
}

async function fill(store: Store): Promise<void> {
  let next = 0
  const one = async (): Promise<void> => {
    while (next < REQUESTS) await live(store, next++)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
}

/** The longest that a click waits while something is done, in ms, and how long that takes. */
async function waitDuring(store: Store, work: () => Promise<unknown>) {
  const seen = { isOver: false, longest: 0 }
  const clicks = (async () => {
    for (let i = 0; !seen.isOver; i++) {
      const askedAt = performance.now()
      await store.commit(...openCommit(aRequest(REQUESTS + i)))
      seen.longest = Math.max(seen.longest, performance.now() - askedAt)
      await wait(5)
    }
  })()
  const startedAt = performance.now()
  await work()
  const ms = performance.now() - startedAt
  seen.isOver = true
  await clicks
  return { ms, longest: seen.longest }
}

const redis = await startRedis()
if (redis === undefined) throw new Error('redis-server is not installed')
const dir = mkdtempSync(join(tmpdir(), 'preau-bench-'))
try {
  const config = { ...loadConfig(undefined, {}), store: redis.store, dataDir: dir }
  const shared = await openStore(config, { check: true })
  const empty = redis.memory() ?? 0
  await fill(shared)
  const bytes = (redis.memory() ?? 0) - empty
  const file = join(dir, 'config.json')
  writeFileSync(file, JSON.stringify({ store: redis.store, dataDir: '.' }))
  // A process of its own, as the city runs it: here it would hold up the clicks that are measured.
  const copy = async (from: string, to: string): Promise<void> => {
    const args = [CLI, 'store', 'copy', from, to, '--config', file]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    const [code] = (await once(child, 'exit')) as [number]
    if (code !== 0) throw new Error(`the copy ended with ${code}`)
  }
  const idle = await waitDuring(shared, () => wait(2_000))
  const toFile = await waitDuring(shared, () => copy('current', 'sqlite'))
  await shared.close()
  const fileBytes = statSync(join(dir, 'preau.db')).size
  const embedded = await openStore({ ...config, store: 'sqlite' })
  const calm = await waitDuring(embedded, () => wait(2_000))
  const backUp = await waitDuring(embedded, () => copy('sqlite', join(dir, 'backup.db')))
  await embedded.close()
  report(
    `a year: ${REQUESTS} requests opened, seen and approved`,
    [redis],
    [
      {
        what: 'Redis, memory',
        MB: rounded(bytes / MEGABYTE),
        'per request kB': rounded(bytes / REQUESTS / 1_000, 1),
      },
      {
        what: 'SQLite, file',
        MB: rounded(fileBytes / MEGABYTE),
        'per request kB': rounded(fileBytes / REQUESTS / 1_000, 1),
      },
      { what: 'clicks on Redis, nothing else going on', 'longest click ms': rounded(idle.longest) },
      {
        what: 'copied from Redis to a file',
        seconds: rounded(toFile.ms / 1_000, 1),
        'longest click ms': rounded(toFile.longest),
      },
      {
        what: 'clicks on SQLite, nothing else going on',
        'longest click ms': rounded(calm.longest),
      },
      {
        what: 'a back-up of SQLite',
        seconds: rounded(backUp.ms / 1_000, 1),
        'longest click ms': rounded(backUp.longest),
      },
    ],
  )
} finally {
  await redis.stop()
  rmSync(dir, { recursive: true, force: true })
}
