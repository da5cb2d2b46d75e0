/** `kill -9` of any process at a random moment, over and over, while clients work. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { City } from '../city.ts'
import { addSlowSource, killJob } from '../faults/kill-job.ts'
import { killAdmin, killSupervisor, killWorker, whole, type Kill } from '../faults/kill.ts'
import type { Load } from '../load/load.ts'
import type { Origin } from '../sites.ts'

export const VICTIMS = ['worker', 'admin', 'supervisor', 'job'] as const
export type Victim = (typeof VICTIMS)[number]

export interface Killing {
  readonly victim: Victim
  readonly backMs: number
}

export interface KillOptions {
  readonly victims: Iterable<Victim>
  /** The longest wait between two deaths; each is a random part of it. */
  readonly pauseMs: number
  readonly random?: () => number
}

export async function killProcesses(
  city: City,
  origin: Origin,
  load: Load,
  { victims, pauseMs, random = Math.random }: KillOptions,
): Promise<Killing[]> {
  const { watch, desk } = load
  await addSlowSource(desk, origin)
  const kills: Record<Victim, () => Promise<Kill>> = {
    worker: () => killWorker(city, watch, Math.floor(random() * 64)),
    admin: () => killAdmin(city, watch),
    supervisor: () => killSupervisor(city, watch),
    job: () => killJob(city, desk),
  }
  const done: Killing[] = []
  for (const victim of victims) {
    await elapsed(random() * pauseMs)
    await whole(city)
    const mayBeAway = victim !== 'job'
    const { backMs } = await watch.disturb(`kill -9 of the ${victim}`, kills[victim], mayBeAway)
    done.push({ victim, backMs })
  }
  await whole(city)
  return done
}
