/** The click: opens the one pending request of a school for a host, or joins it. Answers only once it is on disk. */
import { randomUUIDv7 } from 'node:crypto'
import { hasCode, PreauError } from '../errors.ts'
import { previousOf, waitsUntil } from '../policy/decision.ts'
import type { Change } from '../policy/document.ts'
import { opensFor } from '../policy/grant.ts'
import { placeOfClient } from '../policy/place-detail.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import {
  isPending,
  joinRequest,
  latestKey,
  MAX_ASKERS,
  openRequest,
} from '../policy/unblock-request.ts'
import { decide } from '../policy/verdict.ts'
import type { Store, Stored } from '../store/store.ts'
import { tooLate } from './in-time.ts'
import { pendingLimit, type PendingBounds } from './pending-bound.ts'
import { readLatest, type Latest } from './standing.ts'
import { Turns } from './turns.ts'

/** A PC that clicks again sooner than this is answered without a write: one fsync a click would be a storm. */
const REPEAT_MS = 10_000
/** Each try fails only because another one won, so these are enough for many processes. */
const MAX_TRIES = 10

export interface UnblockDeps {
  readonly store: Store
  readonly current: Current
  readonly clock: () => number
  readonly limits: PendingBounds
  readonly onLimit?: (limit: keyof PendingBounds) => void
}

interface Click {
  readonly refusal: Refusal
  readonly url: string
  /** Whether this PC has joined the request a moment ago; asked once a click, however often it is tried. */
  isHeard?: Promise<boolean>
}

export class UnblockDesk {
  readonly #deps: UnblockDeps
  readonly #hosts = new Turns()
  readonly #sites = new Turns()

  constructor(deps: UnblockDeps) {
    this.#deps = deps
  }

  /**
   * Records the click and answers how the request then stands. `url` is what is kept of the address. A click whose person
   * was given up (`isLate`) before its turn came is not recorded.
   * Throws PREAU_TOO_MANY_REQUESTS (nothing written) and PREAU_STORE_UNAVAILABLE.
   */
  ask(refusal: Refusal, url: string, isLate = (): boolean => false): Promise<Latest> {
    const key = latestKey(refusal.client, refusal.target.host)
    // A class clicks together: one after the other here, so that only clicks of other processes can conflict.
    return this.#hosts.take(key, async () => {
      if (isLate()) throw tooLate()
      return this.#record({ refusal, url })
    })
  }

  async #record(click: Click): Promise<Latest> {
    const { client, target } = click.refusal
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const read = (): Promise<Latest> => readLatest(this.#deps.store, client, target.host)
      const latest = await read()
      if (await this.#needsNoWrite(latest, click, tries > 0)) {
        // It may be there and not acknowledged: the click before this one may have been answered so.
        return await this.#deps.store.confirmed(read)
      }
      const { request } = latest
      try {
        if (request !== undefined && isPending(request.body))
          return await this.#join(request, click)
        // The school's requests are counted and opened one by one, so that many at once cannot pass the bound together.
        return await this.#sites.take(client.site, () => this.#open(latest, click))
      } catch (error) {
        if (!hasCode(error, 'PREAU_CONFLICT')) throw error
      }
    }
    throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail: `${MAX_TRIES} conflicts` })
  }

  async #needsNoWrite(
    { request, grant }: Latest,
    click: Click,
    isRetry: boolean,
  ): Promise<boolean> {
    const { current, clock } = this.#deps
    const { client, target } = click.refusal
    const now = clock()
    if (decide(current.snapshot, client, target, now).action === 'allow') return true
    if (request === undefined) return false
    // Decided while this click was on its way: the person is shown the answer before asking anew. So too where the
    // approval is in the store and not yet in the policy of this process.
    if (waitsUntil(request.body.decision, now) !== undefined) return true
    if (!isPending(request.body))
      return isRetry || (grant !== undefined && opensFor(grant, client, now))
    const own = request.body.askers.find(({ ip }) => ip === client.ip)
    if (own !== undefined && Math.abs(now - own.at) < REPEAT_MS) return true
    // That it was heard is counted before it is written, and the write may have failed: whoever is to stand among those
    // who asked must be seen there before his click is acknowledged without one.
    if (own === undefined && request.body.askers.length < MAX_ASKERS) return false
    click.isHeard ??= this.#isHeard(request, click)
    return click.isHeard
  }

  /** Whether this PC has joined the request a moment ago, by whichever worker. */
  async #isHeard({ id }: Stored<'request'>, { refusal }: Click): Promise<boolean> {
    const key = `join:${id}:${refusal.client.ip}`
    const { isTaken } = await this.#deps.store.permits.take(key, { max: 1, windowMs: REPEAT_MS })
    return !isTaken
  }

  async #join(request: Stored<'request'>, { refusal }: Click): Promise<Latest> {
    const { store, clock } = this.#deps
    const { client, target } = refusal
    const now = clock()
    const { id, version } = request
    const body = joinRequest(request.body, client, now)
    const detail = { request: id, ...placeOfClient(client) }
    await store.commit(
      { by: `pc:${client.ip}`, action: 'request.join', subject: target.host, detail, at: now },
      [{ kind: 'request', id, expects: version, body }],
    )
    return { request: { ...request, version: version + 1, body } }
  }

  async #open(
    { pointer, request: before, grant }: Latest,
    { refusal, url }: Click,
  ): Promise<Latest> {
    const { store, clock, current, limits, onLimit } = this.#deps
    const { client, target, verdict } = refusal
    const limit = await pendingLimit(store, limits, client)
    if (limit !== undefined) {
      onLimit?.(limit)
      throw new PreauError('PREAU_TOO_MANY_REQUESTS', { limit })
    }
    const now = clock()
    const id = randomUUIDv7()
    const hints = current.snapshot.hints(target.host)
    const previous = previousOf(before?.body.decision, grant)
    const body = openRequest(id, refusal, { url, hints, previous }, now)
    const changes: Change[] = [
      { kind: 'request', id, expects: 'absent', body },
      {
        kind: 'latest',
        id: latestKey(client, target.host),
        expects: pointer?.version ?? 'absent',
        body: { requestId: id },
      },
    ]
    const detail = { request: id, ...placeOfClient(client), reason: verdict.reason }
    await store.commit(
      { by: `pc:${client.ip}`, action: 'request.open', subject: target.host, detail, at: now },
      changes,
    )
    return { request: { kind: 'request', id, version: 1, body } }
  }
}
