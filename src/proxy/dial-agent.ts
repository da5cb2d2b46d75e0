/** The `http.Agent` of plain HTTP: its connections are dialled by us, so that what was judged is what is reached. */
import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PreauError } from '../errors.ts'
import { parseHost, type Host, type Target } from '../policy/host.ts'
import type { Dial, OnDialled } from './dial.ts'
import { expectHead, isHeadDue, readHeads } from './head-reader.ts'
import type { LimitName } from './limit-name.ts'
import { MAX_PINS } from './pins.ts'
import type { Sharer } from './shares.ts'

const FREE_PER_ORIGIN = 256
// `maxFreeSockets` is per origin and a client chooses the origins: this is the bound over all of them.
const FREE_IN_ALL = 2_000
// Node's own bound of the fields of an answer drops the rest without a word; ours is that of the whole head.
const UNBOUNDED_FIELDS = 0
const UNBOUNDED_BYTES = 1_048_576

// Otherwise Node works out for each request the name that TLS would ask for.
const NO_TLS = { servername: '' }

type OnCreate = (error: Error | null, socket: Duplex) => void

export interface DialAgentOptions {
  /** Who may be given a connection that is free again: anybody, nobody, or only the client connection that it was opened for. */
  readonly kept: 'shared' | 'never' | 'apart'
  /** How long a connection is kept on which nothing is asked; 0: no bound. */
  readonly idleMs: number
  /** How long an origin may say nothing while it is asked, until its answer begins; 0: no bound. */
  readonly answerTimeoutMs: number
  /** How long nothing may come of an answer that has begun, be it that its client takes nothing; 0: no bound. */
  readonly tunnelIdleTimeoutMs: number
  /** Size of the head of an answer. */
  readonly maxAnswerHeaderBytes: number
  readonly onLimit?: (limit: LimitName) => void
}

type DialArgs = ClientRequestArgs & { readonly by?: ConnectionAgent }

export class DialAgent extends Agent {
  readonly limits: DialAgentOptions
  readonly maxHeadBytes: number
  readonly #dial: Dial
  /** The shorter of two silences; which of them it is shows when it is over. */
  readonly #patienceMs: number
  readonly #free = new Set<Duplex>()
  readonly #ofConnections = new WeakMap<Socket, ConnectionAgent>()
  #opened = 0

  constructor(dial: Dial, options: DialAgentOptions) {
    super({
      keepAlive: options.kept !== 'never',
      timeout: options.idleMs,
      maxFreeSockets: FREE_PER_ORIGIN,
      ...NO_TLS,
    })
    this.#dial = dial
    this.limits = options
    this.maxHeadBytes = options.maxAnswerHeaderBytes || UNBOUNDED_BYTES
    const bounds = [options.answerTimeoutMs, options.tunnelIdleTimeoutMs].filter(ms => ms > 0)
    this.#patienceMs = bounds.length === 0 ? 0 : Math.min(...bounds)
  }

  /** This agent as one client connection sees it: what is dialled is counted for its client, and ends with the connection. */
  of(connection: Socket, client: Sharer): Agent {
    let agent = this.#ofConnections.get(connection)
    if (agent === undefined) {
      const pool = this.limits.kept === 'apart' ? `#${++this.#opened}` : ''
      agent = new ConnectionAgent(this, client, pool)
      this.#ofConnections.set(connection, agent)
      connection.once('close', agent.onClose)
    }
    // Node asks an agent for no more than this (`http.ClientRequest`), and the library hands it on to Node.
    return agent as unknown as Agent
  }

  override createConnection({ by, ...options }: DialArgs, onCreate?: OnCreate): undefined {
    const host = parseHost(options.host ?? '')
    if (host === undefined || by === undefined || onCreate === undefined)
      throw new PreauError('PREAU_BAD_TARGET')
    const end: OnDialled = (socket, error) => {
      if (socket !== undefined) this.#watch(socket, host)
      // The type asks for a socket beside an error; the agent looks at the error first.
      onCreate(error ?? null, socket as Socket)
    }
    by.dial(this.#dial, { host, port: Number(options.port) }, end)
  }

  // One listener for the life of a connection: Node's own way adds and takes away four for each request.
  #watch(socket: Socket, host: Host): void {
    const { onLimit } = this.limits
    readHeads(socket, this.maxHeadBytes, isTooLarge => {
      if (isTooLarge) onLimit?.('maxAnswerHeaderBytes')
      socket.destroy(new PreauError('PREAU_BAD_ANSWER', { host }))
    })
    // A head that leaves before its body is written in the socket's own encoding: UTF-8 would change the bytes beyond ASCII
    // of its path and its fields.
    socket.setDefaultEncoding('latin1')
    socket.once('close', () => this.#free.delete(socket))
    let quiet = { bytes: -1, ms: 0 }
    socket.on('timeout', () => {
      if (this.#free.has(socket)) return
      const limit = isHeadDue(socket) ? 'answerTimeoutMs' : 'tunnelIdleTimeoutMs'
      const bytes = socket.bytesRead + socket.bytesWritten
      const ms = (socket.timeout ?? 0) + (bytes === quiet.bytes ? quiet.ms : 0)
      quiet = { bytes, ms }
      // The answer may have begun since the time was set; most are whole long before it is up.
      const left = this.limits[limit] - ms
      if (this.limits[limit] === 0 || left > 0) {
        socket.setTimeout(Math.max(0, left))
        return
      }
      onLimit?.(limit)
      socket.destroy(new PreauError('PREAU_DIAL_TIMEOUT', { host }))
    })
    socket.setTimeout(this.#patienceMs)
  }

  // Node's own name has room for all that TLS could tell apart; two of these are asked for each request.
  override getName({ host, port, by, origin }: NameParts = {}): string {
    return `${host}:${port}${by?.pool ?? ''}${origin ?? ''}`
  }

  override keepSocketAlive(socket: Duplex): boolean {
    if (this.#free.size >= FREE_IN_ALL) return false
    this.#free.add(socket)
    // Typed as void, yet its answer is what the agent asks for (nodejs.org, `agent.keepSocketAlive`).
    return super.keepSocketAlive(socket) as unknown as boolean
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    this.#free.delete(socket)
    super.reuseSocket(socket, request)
    const asked = socket as Socket
    expectHead(asked)
    asked.setTimeout(this.#patienceMs)
  }
}

interface NameParts {
  readonly host?: string | null
  readonly port?: string | number | null
  readonly by?: ConnectionAgent
  /** Through a parent proxy, where its connection is for one origin only. */
  readonly origin?: string
}

/** What its options set, and no type says so. */
type Bounded = ClientRequest & { maxHeaderSize?: number }

/** Every Agent has it, and no type says so: how Node gives it a request. */
interface TakesRequests {
  addRequest(request: ClientRequest, options: object): void
}

class ConnectionAgent implements TakesRequests {
  readonly defaultPort = 80
  readonly protocol = 'http:'
  readonly maxSockets = Infinity
  /** What Node asks before it says `Connection: close` to an origin. */
  readonly keepAlive: boolean
  /** Where its connections are kept; '': with those of all. */
  readonly pool: string
  readonly #agent: DialAgent & TakesRequests
  readonly #client: Sharer
  readonly #dials = new Set<() => void>()
  /** Those that nobody else may use, the oldest first. */
  readonly #own = new Set<Socket>()

  constructor(agent: DialAgent, client: Sharer, pool: string) {
    this.keepAlive = agent.limits.kept !== 'never'
    this.pool = pool
    this.#agent = agent as DialAgent & TakesRequests
    this.#client = client
  }

  addRequest(request: ClientRequest, options: object): void {
    const bounded: Bounded = request
    bounded.maxHeadersCount = UNBOUNDED_FIELDS
    // It is not reached: a head of half this size is not passed on to Node's parser.
    bounded.maxHeaderSize = 2 * this.#agent.maxHeadBytes
    this.#agent.addRequest(request, Object.assign(options, { by: this }))
  }

  dial(dial: Dial, target: Target, end: OnDialled): void {
    let isOver = false
    const abandon = (): void => {
      dialling.abandon()
      end(undefined, new PreauError('PREAU_UNREACHABLE', { host: target.host }))
    }
    const dialling = dial(target, this.#client, (socket, error) => {
      isOver = true
      this.#dials.delete(abandon)
      if (socket !== undefined && this.pool !== '') this.#keep(socket)
      end(socket, error)
    })
    if (!isOver) this.#dials.add(abandon)
  }

  #keep(socket: Socket): void {
    const [oldest] = this.#own
    if (this.#own.size >= MAX_PINS) oldest?.destroy()
    this.#own.add(socket)
    socket.once('close', () => this.#own.delete(socket))
  }

  readonly onClose = (): void => {
    for (const abandon of this.#dials) abandon()
    this.#dials.clear()
    for (const socket of this.#own) socket.destroy()
  }
}
