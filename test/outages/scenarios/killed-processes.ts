/** `kill -9` of any process at a random moment, over and over, while clients work. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { RedisServer } from '../../support/redis.ts'
import type { City } from '../city.ts'
import { addSlowSource, killJob } from '../faults/kill-job.ts'
import { killAdmin, killSupervisor, killWorker, whole, type Kill } from '../faults/kill.ts'
import type { Load } from '../load/load.ts'
import type { Origin } from '../sites.ts'
import { converge } from './converge.ts'

/** Of Préau itself. */
export const VICTIMS = ['worker', 'admin', 'supervisor', 'job'] as const
export type Victim = (typeof VICTIMS)[number] | 'redis'

export interface Killing {
  readonly victim: Victim
  readonly backMs: number
}

export interface KillOptions {
  readonly victims: Iterable<Victim>
  /** The longest wait between two deaths; each is a random part of it. */
  readonly pauseMs: number
  readonly random?: () => number
  /** Where the state is shared. */
  readonly redis?: RedisServer
}

export async function killProcesses(
  city: City,
  origin: Origin,
  load: Load,
  { victims, pauseMs, random = Math.random, redis }: KillOptions,
): Promise<Killing[]> {
  const { watch, desk } = load
  await addSlowSource(desk, origin)
  const kills: Record<Victim, () => Promise<Kill>> = {
    worker: () => killWorker(city, watch, Math.floor(random() * 64)),
    admin: () => killAdmin(city, watch),
    supervisor: () => killSupervisor(city, watch),
    job: () => killJob(city, desk),
    redis: () => killRedis(load, redis),
  }
  const done: Killing[] = []
  for (const victim of victims) {
    await elapsed(random() * pauseMs)
    await whole(city)
    const mayBeAway = victim !== 'job' && victim !== 'redis'
    const { backMs } = await watch.disturb(`kill -9 of the ${victim}`, kills[victim], mayBeAway)
    done.push({ victim, backMs })
  }
  await whole(city)
  return done
}

/** Its service manager starts it again at once; back is when a click is acknowledged, decided on and in force. */
async function killRedis(load: Load, redis: RedisServer | undefined): Promise<Kill> {
  if (redis === undefined) throw new Error('no Redis here')
  await redis.kill()
  await redis.start()
  return { backMs: await converge(load) }
}
