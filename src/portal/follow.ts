/** Tells waiting pages how their request stands, live (server-sent events): one watch for all, one read per request. */
import type { ServerResponse } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import type { Limits } from '../config.ts'
import type { Locale } from '../i18n.ts'
import type { Host } from '../policy/host.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { Current } from '../policy/snapshot.ts'
import { latestKey } from '../policy/unblock-request.ts'
import type { Store } from '../store/store.ts'
import { describeStanding, readLatest, type Latest, type Standing } from './standing.ts'

/** Proxies and browsers give up on a silent stream; the beat also notices what time alone opens (hours, ends). */
const BEAT_MS = 15_000
const READS_AT_ONCE = 16
/** A store that does not answer is asked again this soon, for all who wait. */
const RETRY_MS = 1_000
/**
 * A page that opens by itself asks on a new connection, which another worker may take: it must have heard of the grant
 * too. On SQLite each looks ten times a second; a message of Redis is there at once.
 */
const SETTLE_MS = 150
/** A follower that does not read is cut: its events are small and few. */
const MAX_UNREAD_BYTES = 65_536

export interface FollowDeps {
  readonly store: Store
  readonly current: Current
  readonly clock: () => number
  readonly limits: Pick<Limits, 'followers' | 'followersPerPc'>
  readonly beatMs?: number
  readonly settleMs?: number
}

interface Follower {
  readonly refusal: Refusal
  readonly locale: Locale
  readonly response: ServerResponse
  sent: string
}

/** A school and a host that somebody follows. `latest` is undefined until the store has answered. */
interface Topic {
  readonly refusal: Refusal
  readonly followers: Set<Follower>
  latest: Latest | undefined
  /** The store did not answer when it was asked last. */
  isUnknown: boolean
}

export class FollowHub {
  readonly #deps: FollowDeps
  readonly #topics = new Map<string, Topic>()
  readonly #perPc = new Map<Host, number>()
  readonly #stale = new Set<string>()
  readonly #stops: (() => void)[]
  readonly #timer: NodeJS.Timeout
  #size = 0
  #retry: NodeJS.Timeout | undefined
  #isReading = false
  /** Of snapshots that other workers may not have yet. */
  readonly #settling = new Set<NodeJS.Timeout>()
  #isClosed = false

  constructor(deps: FollowDeps) {
    this.#deps = deps
    this.#stops = [
      deps.store.watch(() => this.#refresh(this.#topics.keys())),
      deps.current.onSwap(() => this.#settle()),
    ]
    this.#timer = setInterval(() => this.#beat(), deps.beatMs ?? BEAT_MS).unref()
  }

  get size(): number {
    return this.#size
  }

  /** The limit that keeps this PC from following one page more; undefined: none. */
  limitFor(ip: Host): 'followers' | 'followersPerPc' | undefined {
    const { followers, followersPerPc } = this.#deps.limits
    if (followers !== 0 && this.#size >= followers) return 'followers'
    const own = this.#perPc.get(ip) ?? 0
    return followersPerPc !== 0 && own >= followersPerPc ? 'followersPerPc' : undefined
  }

  /** Follows until the response closes, or ends it once the site is open. Its head must have been written. */
  add(refusal: Refusal, locale: Locale, response: ServerResponse): void {
    if (this.#isClosed) {
      // The page asks again by itself, and then comes to another worker.
      response.end()
      return
    }
    const { ip } = refusal.client
    const key = latestKey(refusal.client, refusal.target.host)
    const topic = this.#topics.get(key) ?? newTopic(refusal)
    const follower = { refusal, locale, response, sent: '' }
    topic.followers.add(follower)
    this.#topics.set(key, topic)
    this.#size += 1
    this.#perPc.set(ip, (this.#perPc.get(ip) ?? 0) + 1)
    response.once('close', () => this.#release(key, topic, follower))
    // A school waits for one site together: only who comes now is told what is known already.
    if (topic.latest === undefined && !topic.isUnknown) this.#refresh([key])
    else this.#tellOne(follower, topic)
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    clearTimeout(this.#retry)
    for (const timer of this.#settling) clearTimeout(timer)
    for (const stop of this.#stops) stop()
    for (const { followers } of this.#topics.values()) {
      for (const { response } of followers) response.end()
    }
  }

  #release(key: string, topic: Topic, follower: Follower): void {
    const { ip } = follower.refusal.client
    topic.followers.delete(follower)
    if (topic.followers.size === 0 && this.#topics.get(key) === topic) this.#topics.delete(key)
    this.#size -= 1
    const rest = (this.#perPc.get(ip) ?? 1) - 1
    if (rest === 0) this.#perPc.delete(ip)
    else this.#perPc.set(ip, rest)
  }

  /** Marks topics to be read again. Reads never overlap, so an older answer cannot replace a newer one. */
  #refresh(keys: Iterable<string>): void {
    for (const key of keys) this.#stale.add(key)
    if (!this.#isReading) void this.#readStale()
  }

  async #readStale(): Promise<void> {
    this.#isReading = true
    clearTimeout(this.#retry)
    while (this.#stale.size > 0) {
      const keys = [...this.#stale].slice(0, READS_AT_ONCE)
      for (const key of keys) this.#stale.delete(key)
      const isTold = await Promise.all(keys.map(key => this.#read(key)))
      if (isTold.includes(false)) {
        // A store that is silent would take its time from each topic in turn: all are told now, and all asked again soon.
        this.#tellUnknown()
        this.#refreshLater()
        break
      }
    }
    this.#isReading = false
  }

  /** False when the store did not answer: what was said last stays on the card. */
  async #read(key: string): Promise<boolean> {
    const topic = this.#topics.get(key)
    if (topic === undefined) return true
    const { client, target } = topic.refusal
    const { latest: before, isUnknown: wasUnknown } = topic
    try {
      topic.latest = await readLatest(this.#deps.store, client, target.host)
      topic.isUnknown = false
    } catch {
      return false
    }
    // Every commit of the city comes by here: most concern other sites.
    if (wasUnknown || !isDeepStrictEqual(before, topic.latest)) this.#tell(topic)
    return true
  }

  #tellUnknown(): void {
    for (const topic of this.#topics.values()) {
      if (topic.isUnknown) continue
      topic.isUnknown = true
      this.#tell(topic)
    }
  }

  #refreshLater(): void {
    if (this.#isClosed) return
    this.#retry = setTimeout(() => this.#refresh(this.#topics.keys()), RETRY_MS).unref()
  }

  #settle(): void {
    const timer = setTimeout(() => {
      this.#settling.delete(timer)
      this.#tellAll(true)
    }, this.#deps.settleMs ?? SETTLE_MS)
    this.#settling.add(timer.unref())
    this.#tellAll()
  }

  #tellAll(mayOpen = false): void {
    for (const topic of this.#topics.values()) this.#tell(topic, mayOpen)
  }

  #tell(topic: Topic, mayOpen = false): void {
    for (const follower of topic.followers) this.#tellOne(follower, topic, mayOpen)
  }

  #tellOne(follower: Follower, { latest, isUnknown }: Topic, mayOpen = false): void {
    const { refusal, locale } = follower
    const { current, clock } = this.#deps
    // Who waits for an answer goes on waiting; who might still ask is told that it is not possible.
    const known = isUnknown && latest?.request === undefined ? undefined : latest
    const standing = describeStanding(known, refusal, current.snapshot, clock(), locale)
    if (standing.reload && !mayOpen && this.#settling.size > 0) return
    if (latest !== undefined || isUnknown || standing.reload) send(follower, standing)
  }

  #beat(): void {
    for (const { followers } of this.#topics.values()) {
      for (const { response } of followers) {
        if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
        else response.write(': beat\n\n')
      }
    }
    this.#tellAll()
    this.#refresh([...this.#topics].filter(([, topic]) => !topic.latest).map(([key]) => key))
  }
}

const newTopic = (refusal: Refusal): Topic => ({
  refusal,
  followers: new Set(),
  latest: undefined,
  isUnknown: false,
})

function send(follower: Follower, standing: Standing): void {
  const { response } = follower
  const data = JSON.stringify(standing)
  if (data === follower.sent || response.writableEnded) return
  follower.sent = data
  response.write(`event: state\ndata: ${data}\n\n`)
  if (standing.reload) response.end()
}
