/** How long until everything works again: a click is acknowledged, decided on in the admin app, and in force in every worker. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { clickOnce, takesEffect } from '../load/lives.ts'
import type { Load } from '../load/load.ts'

const PATIENCE_MS = 60_000
const AGAIN_MS = 50
const FROM = '127.0.9.1'

/** Answers the time from now, in ms. */
export async function converge(load: Load): Promise<number> {
  const startedAt = performance.now()
  const host = load.nextHost()
  if (host === undefined) throw new Error('no host left')
  await until('a click', () => clickOnce(load, host, FROM))
  await until('a decision', async () => {
    const pending = await load.desk.pending()
    if ('told' in pending) return false
    const id = pending.get(host)
    if (id === undefined) return false
    const fields = { scope: 'site', duration: 'hour' }
    const { told } = await load.desk.post(`/requests/${id}/approve`, fields)
    return told === 'done' || told === 'alreadyDecided'
  })
  await takesEffect(load, host, 'open')
  return performance.now() - startedAt
}

async function until(what: string, isDone: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error(`${what} did not come through again`)
    await elapsed(AGAIN_MS)
  }
}
