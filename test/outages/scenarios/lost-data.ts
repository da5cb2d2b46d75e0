/** What Redis had is gone, or is that of an hour ago. No engine can give back what its data no longer hold: this says what happens then. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import type { RedisServer } from '../../support/redis.ts'
import { ask } from '../load/ask.ts'
import { clickOnce } from '../load/lives.ts'
import type { Load } from '../load/load.ts'

export interface LostData {
  /** What a click is answered, before Préau is started again. */
  readonly click: string
}

/** FLUSHALL under load. */
export async function flushStore(
  load: Load,
  redis: RedisServer,
  lastsMs: number,
): Promise<LostData> {
  return load.watch.disturb('FLUSHALL', async () => {
    redis.cli('flushall')
    await elapsed(lastsMs)
    return { click: await clickAnswer(load) }
  })
}

/** Copies what Redis has; later `bringBack` puts it in the place of what it has by then. */
export function keepCopy(redis: RedisServer, dir: string): () => Promise<void> {
  const copy = join(dir, 'redis-copy')
  redis.cli('bgrewriteaof')
  cpSync(redis.folder, copy, { recursive: true })
  return async () => {
    await redis.kill()
    rmSync(redis.folder, { recursive: true })
    cpSync(copy, redis.folder, { recursive: true })
    await redis.start()
  }
}

async function clickAnswer(load: Load): Promise<string> {
  const host = load.nextHost() ?? ''
  const answer = await ask({
    port: load.proxyPort,
    path: `http://${host}/.preau/unblock`,
    method: 'POST',
    from: '127.0.8.3',
    headers: { accept: 'application/json' },
    form: {},
  })
  return answer.kind === 'answer' ? `${answer.status} ${answer.body}` : answer.code
}

export { clickOnce }
