/** SIGHUP over and over under load: every process is replaced by a new one, and no client notices. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { City } from '../city.ts'
import { expectCuts, isAlive, whole } from '../faults/kill.ts'
import type { Load } from '../load/load.ts'

const PATIENCE_MS = 120_000

/** Twice at least, and as often as `ms` allow. Answers how long each took until the old processes had gone. */
export async function restartAll(city: City, load: Load, ms: number): Promise<number[]> {
  const { watch } = load
  const durations: number[] = []
  const until = performance.now() + ms
  while (durations.length < 2 || performance.now() < until) {
    const before = await whole(city)
    const old = [...before.workers, ...(before.admin === undefined ? [] : [before.admin])]
    const ms = await watch.disturb('a restart of all', async () => {
      const startedAt = performance.now()
      city.signal('SIGHUP')
      await untilGone(city, old, load)
      await whole(city)
      return performance.now() - startedAt
    })
    durations.push(ms)
  }
  return durations
}

/** Tunnels live as long as the drain of their process: which ones they are is known only while it drains. */
async function untilGone(city: City, old: readonly number[], { watch }: Load): Promise<void> {
  const until = performance.now() + PATIENCE_MS
  for (;;) {
    const { workers, admin } = city.processes()
    const isServing = (pid: number): boolean => workers.includes(pid) || admin === pid
    const left = old.filter(pid => isServing(pid) || isAlive(pid))
    if (left.length === 0) return
    if (performance.now() > until)
      throw new Error(`the old processes did not go\n${city.lastLines.join('\n')}`)
    for (const pid of left) if (!workers.includes(pid)) expectCuts(pid, city, watch)
    await elapsed(50)
  }
}
