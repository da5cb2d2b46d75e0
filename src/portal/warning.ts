/** « Continuer vers le site »: a warned site opens for one PC and some minutes, and the audit log says so. */
import { randomUUIDv7 } from 'node:crypto'
import type { Limits } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { Grant } from '../policy/grant.ts'
import { placeOfClient } from '../policy/place-detail.ts'
import { Question } from '../policy/question.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import { decide } from '../policy/verdict.ts'
import type { Store } from '../store/store.ts'
import { createClickRate } from './rate.ts'

const MINUTE_MS = 60_000
/** How long the answer waits for the grant to reach this process; without it the person would meet the warning again. */
const SETTLE_MS = 2_000
const REPEAT_MS = 10_000

export interface WarningDeps {
  readonly store: Store
  readonly current: Current
  readonly clock: () => number
  readonly limits: Pick<Limits, 'acknowledgeMinutes' | 'warningsPerPc'>
  /** Called each time a PC runs into that limit. */
  readonly onLimit?: (limit: 'warningsPerPc') => void
}

/** Opens the warned site for this PC; resolves once the policy in force allows it. Throws PREAU_FORBIDDEN, PREAU_TOO_MANY_REQUESTS, or what the store throws. */
export type Acknowledge = (refusal: Refusal) => Promise<void>

export function createAcknowledge(deps: WarningDeps): Acknowledge {
  const { store, current, clock, limits } = deps
  const { acknowledgeMinutes, warningsPerPc: max } = limits
  // A warned domain has as many sub-domains as somebody likes to type, and each would be a grant in every process.
  const windowMs = acknowledgeMinutes * MINUTE_MS
  const isWithinBound = createClickRate(store.permits, { name: 'warning', max, windowMs })
  return async refusal => {
    const { client, target, verdict } = refusal
    if (verdict.action !== 'warn' || acknowledgeMinutes === 0)
      throw new PreauError('PREAU_FORBIDDEN')
    const isOpen = (): boolean =>
      decide(current.snapshot, client, target, clock()).action === 'allow'
    if (isOpen()) return
    // A second click of the same PC, on this worker or another, waits for what the first one writes.
    const key = `read:${client.ip}:${target.host}`
    const { isTaken } = await store.permits.take(key, { max: 1, windowMs: REPEAT_MS })
    if (isTaken) {
      try {
        await write(refusal)
      } catch (error) {
        await store.permits.clear(key).catch(() => undefined)
        throw error
      }
    }
    await settle(current, isOpen)
  }

  async function write({ client, target, verdict }: Refusal): Promise<void> {
    const now = clock()
    if (!(await isWithinBound(client.ip, now))) {
      deps.onLimit?.('warningsPerPc')
      throw new PreauError('PREAU_TOO_MANY_REQUESTS', { limit: 'warningsPerPc' })
    }
    const id = randomUUIDv7()
    // Of a wrapped site the category is not that of the name.
    const shown = verdict.category === undefined ? [] : [verdict.category]
    const by = `pc:${client.ip}`
    const grant: Grant = {
      id,
      host: target.host,
      scope: { kind: 'pc', ip: client.ip },
      origin: 'acknowledged',
      by,
      at: now,
      until: now + windowMs,
      categories: [...new Question(current.snapshot, client, target, now).warned, ...shown],
    }
    const { category = null } = verdict
    const detail = { ...placeOfClient(client), category, minutes: acknowledgeMinutes }
    await store.commit({ by, action: 'grant.acknowledge', subject: target.host, detail, at: now }, [
      { kind: 'grant', id, expects: 'absent', body: grant },
    ])
  }
}

/** Waits for the policy in force to say yes, at most `SETTLE_MS`. */
function settle(current: Current, isAllowed: () => boolean): Promise<void> {
  if (isAllowed()) return Promise.resolve()
  return new Promise(resolve => {
    const finish = (): void => {
      clearTimeout(timer)
      stop()
      resolve()
    }
    const stop = current.onSwap(() => {
      if (isAllowed()) finish()
    })
    const timer = setTimeout(finish, SETTLE_MS)
  })
}
