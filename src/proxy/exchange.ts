/** One request or tunnel, opened when it arrives and closed once. The access log is fed by its end and by nothing else. */
import type { Socket } from 'node:net'
import type { AccessLogEntry } from '../access-log/access-log.ts'
import { PreauError, type ErrorCode } from '../errors.ts'
import type { Target } from '../policy/host.ts'
import type { Client } from '../policy/network.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import { decide, type Verdict } from '../policy/verdict.ts'

interface Counted {
  up: number
  down: number
}
// Where the previous exchange of a kept connection ended, so that each one counts its own bytes.
const counted = new WeakMap<Socket, Counted>()
const latest = new WeakMap<Socket, Exchange>()

// Unique over restarts and workers, short enough to be read out on the telephone.
const origin = `${process.pid.toString(36)}${Math.trunc(performance.timeOrigin / 1_000).toString(36)}`
let sequence = 0

export interface ExchangeStart {
  readonly socket: Socket
  readonly method: string
  readonly client: Client
  readonly snapshot: Snapshot
  readonly now: number
}

export interface Judged {
  readonly client: Client
  readonly target: Target
  readonly verdict: Verdict
}

export class Exchange {
  readonly id: string
  readonly method: string
  readonly client: Client
  /** What this exchange is judged by, from its first to its last byte. */
  readonly snapshot: Snapshot
  readonly startedAt: number
  /** Whether another one of the same connection was still open when this one came (pipelining, RFC 9112 §9.3.2). */
  readonly isBehind: boolean
  target: Target | undefined
  verdict: Verdict | undefined
  /** Why it ended other than the verdict says. */
  failure: ErrorCode | undefined
  status = 0
  readonly #socket: Socket
  #onClose: ((exchange: Exchange) => void) | undefined

  constructor(
    { socket, method, client, snapshot, now }: ExchangeStart,
    onClose: (exchange: Exchange) => void,
  ) {
    this.id = `${origin}-${(sequence++).toString(36)}`
    this.method = method
    this.client = client
    this.snapshot = snapshot
    this.startedAt = now
    this.#socket = socket
    this.#onClose = onClose
    // Answers go out in order, so the latest one tells for all.
    const before = latest.get(socket)
    this.isBehind = before !== undefined && before.#onClose !== undefined
    latest.set(socket, this)
  }

  /**
   * Names the target and judges it. Throws PREAU_BAD_TARGET when there is none, PREAU_PORT_REFUSED when its port may
   * not be reached by anybody.
   */
  judge(target: Target | undefined, mayReach: (port: number) => boolean): Judged {
    if (target === undefined) throw new PreauError('PREAU_BAD_TARGET')
    this.target = target
    if (!mayReach(target.port)) throw new PreauError('PREAU_PORT_REFUSED', { port: target.port })
    const verdict = decide(this.snapshot, this.client, target, this.startedAt)
    this.verdict = verdict
    return { client: this.client, target, verdict }
  }

  /** Ends it at once: its connection goes, and whatever was relayed on it. */
  cut(): void {
    this.#socket.destroy()
  }

  /** Closes it; further calls do nothing. */
  close(): void {
    const onClose = this.#onClose
    this.#onClose = undefined
    onClose?.(this)
  }

  /** The line of the access log. Call it once, when it closes. */
  entry(now: number): AccessLogEntry {
    const { client, target, verdict } = this
    const category = verdict?.action === 'allow' ? undefined : verdict?.category
    const { up, down } = this.#takeBytes()
    return {
      exchange: this.id,
      ip: client.ip,
      site: client.site,
      room: client.room,
      profile: client.profile,
      method: this.method,
      host: target?.host ?? '',
      port: target?.port ?? 0,
      verdict: verdict?.action ?? 'none',
      reason: this.failure ?? verdict?.reason ?? '',
      ...(category === undefined ? {} : { category }),
      status: this.status,
      bytesUp: up,
      bytesDown: down,
      durationMs: Math.max(0, Math.round(now - this.startedAt)),
    }
  }

  #takeBytes(): Counted {
    const { bytesRead: up, bytesWritten: down } = this.#socket
    const before = counted.get(this.#socket) ?? { up: 0, down: 0 }
    counted.set(this.#socket, { up, down })
    return { up: up - before.up, down: down - before.down }
  }
}
