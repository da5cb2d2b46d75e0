/** How long until everything works again: a click is acknowledged, decided on in the admin app, and in force in every worker. */
import { setTimeout as elapsed } from 'node:timers/promises'
import { clickOnce, takesEffect } from '../load/lives.ts'
import type { Act } from '../load/desk.ts'
import type { Load } from '../load/load.ts'

const PATIENCE_MS = 30_000
const AGAIN_MS = 50
const FROM = '127.0.9.1'

/** Answers the time from now, in ms. */
export async function converge(load: Load): Promise<number> {
  const startedAt = performance.now()
  const host = load.nextHost()
  if (host === undefined) throw new Error('no host left')
  await until('a click', () => clickOnce(load, host, FROM))
  let last = ''
  let id: string | undefined
  const decide = async (): Promise<boolean> => {
    // A decision whose answer was lost may have been written: then it is not on the page any more.
    if (id === undefined) {
      const pending = await load.desk.pending()
      last = 'told' in pending ? shown(pending) : `not among ${[...pending.keys()].join(', ')}`
      id = 'told' in pending ? undefined : pending.get(host)
    }
    if (id === undefined) return false
    const act = await load.desk.post(`/requests/${id}/approve`, { scope: 'site', duration: 'hour' })
    last = shown(act)
    return act.told === 'done' || act.told === 'alreadyDecided'
  }
  await until('a decision', decide, () => last)
  await takesEffect(load, host, 'open')
  return performance.now() - startedAt
}

const shown = ({ told, answer }: Act): string =>
  `${told}: ${answer.kind === 'answer' ? `${answer.status} ${answer.body.slice(0, 200)}` : answer.code}`

async function until(
  what: string,
  isDone: () => Promise<boolean>,
  why = (): string => '',
): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await isDone())) {
    if (performance.now() > end) throw new Error(`${what} did not come through again: ${why()}`)
    await elapsed(AGAIN_MS)
  }
}
