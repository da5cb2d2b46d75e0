/** One request or tunnel, opened when it arrives and closed once. The access log is fed by its end and by nothing else. */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AccessLogEntry } from '../access-log/access-log.ts'
import { PreauError, type ErrorCode } from '../errors.ts'
import { mayCarry, type Content } from '../policy/content.ts'
import type { Host, Target } from '../policy/host.ts'
import type { Client } from '../policy/network.ts'
import type { Snapshot } from '../policy/snapshot.ts'
import type { decide, Verdict } from '../policy/verdict.ts'

/** What the exchanges of one client connection share. */
export class Connection {
  readonly socket: Socket
  // Answers go out in order, so the latest exchange tells for all.
  latest: Exchange | undefined
  /** How many of them are open. */
  open = 0
  /** Whether something came that is no request: nothing more is read as one. */
  isBroken = false
  // Where the previous exchange ended, so that each one counts its own bytes.
  #up = 0
  #down = 0

  constructor(socket: Socket) {
    this.socket = socket
  }

  /** The bytes that came and went since this was asked last. */
  takeBytes(): { up: number; down: number } {
    const { bytesRead, bytesWritten } = this.socket
    const taken = { up: bytesRead - this.#up, down: bytesWritten - this.#down }
    this.#up = bytesRead
    this.#down = bytesWritten
    return taken
  }
}

const connections = new WeakMap<Socket, Connection>()

/** The one Connection of a socket that may carry several requests. */
export function connectionOf(socket: Socket): Connection {
  let connection = connections.get(socket)
  if (connection === undefined) connections.set(socket, (connection = new Connection(socket)))
  return connection
}

// Requests of one connection that wait for their answers; apt, the one client known to pipeline, sends ten.
const MAX_PIPELINED = 32

// Unique over restarts and workers, short enough to be read out on the telephone.
const origin = `${process.pid.toString(36)}${Math.trunc(performance.timeOrigin / 1_000).toString(36)}`
let sequence = 0

export interface ExchangeStart {
  readonly connection: Connection
  readonly method: string
  readonly client: Client
  readonly snapshot: Snapshot
  readonly now: number
  /** What judges; `decide` itself, or one that times it. */
  readonly decide: typeof decide
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
  /** Epoch ms: by what it is judged. */
  readonly startedAt: number
  /** Of `performance.now()`: how long it lasts, whatever becomes of the clock. */
  readonly openedAt = performance.now()
  /** Whether so many others of the same connection are open that it is refused: each may hold an origin. */
  readonly isTooDeep: boolean
  /** Whether nothing was asked on this connection before. */
  readonly isFirst: boolean
  /** Whether it has a line in the access log. */
  isTold = true
  /** Of a plain request: what answers it. */
  response: ServerResponse | undefined
  target: Target | undefined
  verdict: Verdict | undefined
  /** Where the ClientHello in a tunnel asks for another name than the CONNECT did. */
  hello: Target | undefined
  /** What it carries, where the policy has a word on that. */
  content: Content | undefined
  /** Why it ended other than the verdict says. */
  failure: ErrorCode | undefined
  status = 0
  /** Its place among the open ones. */
  seat = -1
  /** Whether bytes go to and from an origin, so that a change of policy may end it. */
  isRelayed = false
  readonly #connection: Connection
  readonly #decide: typeof decide
  // The one of the same connection that was still open when this one came (pipelining, RFC 9112 §9.3.2).
  #ahead: Exchange | undefined
  #onClose: ((exchange: Exchange) => void) | undefined

  constructor(
    { connection, method, client, snapshot, now, decide: judge }: ExchangeStart,
    onClose: (exchange: Exchange) => void,
  ) {
    this.id = `${origin}-${(sequence++).toString(36)}`
    this.method = method
    this.client = client
    this.snapshot = snapshot
    this.startedAt = now
    this.#connection = connection
    this.#decide = judge
    this.#onClose = onClose
    this.#ahead = connection.latest?.isOpen ? connection.latest : undefined
    this.isFirst = connection.latest === undefined
    connection.latest = this
    this.isTooDeep = ++connection.open > MAX_PIPELINED
  }

  /**
   * Names the target and judges it. Throws PREAU_BAD_TARGET when there is none, PREAU_PORT_REFUSED when its port may
   * not be reached by anybody.
   */
  judge(target: Target | undefined, mayReach: (port: number) => boolean): Judged {
    if (target === undefined) throw new PreauError('PREAU_BAD_TARGET')
    this.target = target
    if (!mayReach(target.port)) throw new PreauError('PREAU_PORT_REFUSED', { port: target.port })
    const verdict = this.#decide(this.snapshot, this.client, target, this.startedAt)
    this.verdict = verdict
    return { client: this.client, target, verdict }
  }

  /**
   * Judges the name that a tunnel's ClientHello asks for. A name other than that of the CONNECT is a target of its own:
   * the tunnel is allowed only as long as both are.
   */
  judgeHello(host: Host): Verdict | undefined {
    const { target } = this
    if (target === undefined || host === target.host) return undefined
    this.hello = { host, port: target.port }
    const verdict = this.#decide(this.snapshot, this.client, this.hello, this.startedAt)
    if (verdict.action !== 'allow') this.verdict = verdict
    return verdict
  }

  /** Whether it may carry what it is found to carry; from then on it is judged by that too. */
  mayCarry(content: Content): boolean {
    const { target, snapshot, client, startedAt } = this
    this.content = content
    return target !== undefined && mayCarry(content, snapshot, client, target, startedAt)
  }

  get isOpen(): boolean {
    return this.#onClose !== undefined
  }

  /** Behind a request that has no answer yet, that answer would fall into the tunnel: cuts it and throws PREAU_BAD_REQUEST. */
  assertAlone(): void {
    if (this.#ahead === undefined) return
    this.cut()
    this.#endAhead()
    throw new PreauError('PREAU_BAD_REQUEST')
  }

  /** Ends it at once: its connection goes, and whatever was relayed on it. */
  cut(): void {
    this.#connection.socket.destroy()
  }

  /**
   * Ends those that wait on the same connection, as Node does when a connection closes: once it has handed a socket over it
   * forgets the answers that stand in its queue, and they would stay open for ever.
   */
  #endAhead(): void {
    const all: Exchange[] = []
    for (let ahead = this.#ahead; ahead !== undefined; ahead = ahead.#ahead) all.push(ahead)
    for (const { response } of all) {
      if (response === undefined || response.closed) continue
      response.destroy()
      response.emit('close')
    }
  }

  /** Closes it; further calls do nothing. */
  close(): void {
    const onClose = this.#onClose
    if (onClose === undefined) return
    this.#onClose = undefined
    // A chain of all that a long connection has carried would be held otherwise.
    this.#ahead = undefined
    this.#connection.open--
    onClose(this)
  }

  /** The line of the access log. Call it once, when it closes. */
  entry(): AccessLogEntry {
    const { client, target, verdict } = this
    const category = verdict?.action === 'allow' ? undefined : verdict?.category
    const { up, down } = this.#connection.takeBytes()
    return {
      exchange: this.id,
      ip: client.ip,
      site: client.site,
      room: client.room,
      profile: client.profile,
      method: this.method,
      host: target?.host ?? '',
      port: target?.port ?? 0,
      hello: this.hello?.host,
      verdict: verdict?.action ?? 'none',
      reason: this.failure ?? verdict?.reason ?? '',
      category,
      status: this.status,
      bytesUp: up,
      bytesDown: down,
      durationMs: Math.round(performance.now() - this.openedAt),
    }
  }
}
