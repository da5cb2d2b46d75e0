/** What Redis had is gone, or is that of a while ago. No engine gives back what its data no longer hold: this says what happens then. */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as elapsed } from 'node:timers/promises'
import type { RedisServer } from '../../support/redis.ts'
import { ask } from '../load/ask.ts'
import { click, takesEffect } from '../load/lives.ts'
import type { Load } from '../load/load.ts'
import { standingOf } from '../load/visits.ts'
import { converge } from './converge.ts'

export interface LostData {
  /** What a click was told after FLUSHALL. */
  readonly click: string
  /** How a site that a person had opened stood after FLUSHALL. */
  readonly afterFlush: string
  /** How it stood once the copy was back: closed by a person after the copy was made. */
  readonly afterCopy: string
  readonly convergedMs: number
}

/** Opens a site, copies the data, closes the site, loses all data, and puts the copy back. */
export async function loseData(
  load: Load,
  redis: RedisServer,
  dir: string,
  lastsMs: number,
): Promise<LostData> {
  const [kept, closed] = [await openSite(load), await openSite(load)]
  const copy = join(dir, 'redis-copy')
  cpSync(redis.folder, copy, { recursive: true })
  await closeSite(load, closed)
  const seen = await load.watch.disturb('FLUSHALL', async () => {
    redis.cli('flushall')
    await elapsed(lastsMs)
    return { click: await clickAnswer(load), afterFlush: await standing(load, kept) }
  })
  return load.watch.disturb('an old copy of the data', async () => {
    await redis.kill()
    rmSync(redis.folder, { recursive: true })
    cpSync(copy, redis.folder, { recursive: true })
    await redis.start()
    const convergedMs = await converge(load)
    return { ...seen, convergedMs, afterCopy: await standing(load, closed) }
  })
}

async function openSite(load: Load): Promise<string> {
  const host = load.nextHost() ?? ''
  await click(load, host, '127.0.8.3')
  const pending = await load.desk.pending()
  const id = 'told' in pending ? undefined : pending.get(host)
  await load.desk.post(`/requests/${id}/approve`, { scope: 'site', duration: 'day' })
  await takesEffect(load, host, 'open')
  return host
}

async function closeSite(load: Load, host: string): Promise<void> {
  const grants = await load.desk.grants()
  const id = 'told' in grants ? undefined : grants.get(host)
  await load.desk.post(`/grants/${id}/revoke`)
  await takesEffect(load, host, 'refused')
}

async function standing({ proxyPort, origin }: Load, host: string): Promise<string> {
  const path = `http://${host}:${origin.httpPort}/`
  const answer = await ask({ port: proxyPort, path, from: '127.0.8.3' })
  return answer.kind === 'trouble' ? answer.code : standingOf(answer)
}

async function clickAnswer(load: Load): Promise<string> {
  const answer = await ask({
    port: load.proxyPort,
    path: `http://${load.nextHost()}/.preau/unblock`,
    method: 'POST',
    from: '127.0.8.3',
    headers: { accept: 'application/json' },
    form: {},
  })
  return answer.kind === 'answer' ? `${answer.status} ${answer.body}` : answer.code
}
