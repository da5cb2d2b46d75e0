/** The click: opens the one pending request of a school for a host, or joins it. Answers only once it is on disk. */
import { LRUCache } from 'lru-cache'
import { randomUUIDv7 } from 'node:crypto'
import type { Limits } from '../config.ts'
import { PreauError } from '../errors.ts'
import type { Change } from '../policy/document.ts'
import { opensFor } from '../policy/grant.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import { isPending, joinRequest, latestKey, openRequest } from '../policy/unblock-request.ts'
import { decide } from '../policy/verdict.ts'
import type { CommitNote, Store, Stored } from '../store/store.ts'
import { PendingTally } from './pending-tally.ts'
import { readLatest, type Latest } from './standing.ts'

/** A PC that clicks again sooner than this is answered without a write: one fsync a click would be a storm. */
const REPEAT_MS = 10_000
const MAX_REMEMBERED = 10_000
/** Each try fails only because another one won, so these are enough for many processes. */
const MAX_TRIES = 10

export interface UnblockDeps {
  readonly store: Store
  readonly current: Current
  readonly clock: () => number
  readonly limits: Pick<Limits, 'pendingPerPc' | 'pendingPerSite'>
  readonly onLimit?: (limit: 'pendingPerPc' | 'pendingPerSite') => void
}

interface Write {
  readonly note: CommitNote
  readonly changes: readonly Change[]
  /** The request as it stands once the commit has resolved. */
  readonly request: Stored<'request'>
  readonly isNew: boolean
}

export class UnblockDesk {
  readonly #deps: UnblockDeps
  readonly #tally: PendingTally
  readonly #written = new LRUCache<string, number>({ max: MAX_REMEMBERED })
  /** The last click under way per school and host; as many entries as there are connections waiting, at most. */
  readonly #queues = new Map<string, Promise<unknown>>()

  constructor(deps: UnblockDeps) {
    this.#deps = deps
    this.#tally = new PendingTally(deps.store, deps.limits)
  }

  /**
   * Records the click and answers how the request then stands. `url` is what is kept of the address.
   * Throws PREAU_TOO_MANY_REQUESTS (nothing written) and PREAU_STORE_UNAVAILABLE.
   */
  ask(refusal: Refusal, url: string): Promise<Latest> {
    const key = latestKey(refusal.client.site, refusal.target.host)
    // A class clicks together: one after the other here, so that only clicks of other processes can conflict.
    const before = this.#queues.get(key) ?? Promise.resolve()
    const turn = before.then(() => this.#record(refusal, url))
    const settled = turn
      .catch(() => undefined)
      .finally(() => {
        if (this.#queues.get(key) === settled) this.#queues.delete(key)
      })
    this.#queues.set(key, settled)
    return turn
  }

  async #record(refusal: Refusal, url: string): Promise<Latest> {
    const { store } = this.#deps
    const { client, target } = refusal
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const latest = await readLatest(store, client.site, target.host)
      if (this.#needsNoWrite(latest, refusal, tries > 0)) return latest
      const write = await this.#prepare(latest, refusal, url)
      try {
        await store.commit(write.note, write.changes)
      } catch (error) {
        if (write.isNew) this.#tally.release(client)
        if (error instanceof PreauError && error.code === 'PREAU_CONFLICT') continue
        throw error
      }
      this.#written.set(`${client.ip} ${write.request.id}`, this.#deps.clock())
      return { request: write.request }
    }
    throw new PreauError('PREAU_STORE_UNAVAILABLE', { detail: `${MAX_TRIES} conflicts` })
  }

  #needsNoWrite(
    { request, grant }: Latest,
    { client, target }: Refusal,
    isRetry: boolean,
  ): boolean {
    const { current, clock } = this.#deps
    const now = clock()
    if (decide(current.snapshot, client, target, now).action === 'allow') return true
    if (request === undefined) return false
    // Decided while this click was on its way: the person is shown the answer before asking anew. So too where the
    // approval is in the store and not yet in the policy of this process.
    if (!isPending(request.body))
      return isRetry || (grant !== undefined && opensFor(grant, client, now))
    const writtenAt = this.#written.get(`${client.ip} ${request.id}`)
    return writtenAt !== undefined && Math.abs(now - writtenAt) < REPEAT_MS
  }

  async #prepare(latest: Latest, refusal: Refusal, url: string): Promise<Write> {
    const { client, target } = refusal
    const now = this.#deps.clock()
    const { pointer, request } = latest
    const note = { by: `pc:${client.ip}`, subject: target.host, at: now }
    if (request !== undefined && isPending(request.body)) {
      const body = joinRequest(request.body, client, now)
      const change: Change = { kind: 'request', id: request.id, expects: request.version, body }
      const detail = { request: request.id, site: client.site }
      return {
        note: { ...note, action: 'request.join', detail },
        changes: [change],
        request: { ...request, version: request.version + 1, body },
        isNew: false,
      }
    }
    const limit = await this.#tally.reserve(client, now)
    if (limit !== undefined) {
      this.#deps.onLimit?.(limit)
      throw new PreauError('PREAU_TOO_MANY_REQUESTS')
    }
    const id = randomUUIDv7()
    const hints = this.#deps.current.snapshot.hints(refusal.target.host)
    const body = openRequest(id, refusal, { url, hints }, now)
    const changes: Change[] = [
      { kind: 'request', id, expects: 'absent', body },
      {
        kind: 'latest',
        id: latestKey(client.site, target.host),
        expects: pointer?.version ?? 'absent',
        body: { requestId: id },
      },
    ]
    const detail = { request: id, site: client.site, reason: refusal.verdict.reason }
    return {
      note: { ...note, action: 'request.open', detail },
      changes,
      request: { kind: 'request', id, version: 1, body },
      isNew: true,
    }
  }
}
