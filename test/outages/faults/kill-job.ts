/** `kill -9` of the process that fetches a list, in the middle of its download; the next fetch must be possible at once. */
import { setTimeout as elapsed } from 'node:timers/promises'
import type { City } from '../city.ts'
import type { Desk } from '../load/desk.ts'
import { ALLOWED, SLOW_LIST, type Origin } from '../sites.ts'
import type { Kill } from './kill.ts'

const NAME = 'slow'
const PATIENCE_MS = 10_000

export async function addSlowSource(desk: Desk, origin: Origin): Promise<void> {
  const url = `http://${ALLOWED[0]}:${origin.httpPort}${SLOW_LIST}`
  const fields = { name: NAME, url, format: 'lines', category: 'games' }
  const { told, answer } = await desk.post('/lists/sources', fields)
  if (told !== 'done') throw new Error(`no source: ${JSON.stringify(answer)}`)
}

export async function killJob(city: City, desk: Desk): Promise<Kill> {
  const pid = await fetchSlowly(city, desk)
  process.kill(pid, 'SIGKILL')
  const killedAt = performance.now()
  const next = await fetchSlowly(city, desk)
  const backMs = performance.now() - killedAt
  process.kill(next, 'SIGKILL')
  return { backMs }
}

/** Asks for the list until a process fetches it; answers that process. */
async function fetchSlowly(city: City, desk: Desk): Promise<number> {
  const until = performance.now() + PATIENCE_MS
  while (performance.now() < until) {
    await desk.post(`/lists/sources/${NAME}/fetch`, { anyway: 'yes' })
    const [job] = city.processes().jobs
    if (job !== undefined) return job
    await elapsed(50)
  }
  throw new Error(`no job began\n${city.lastLines.join('\n')}`)
}
