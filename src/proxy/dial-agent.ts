/** The `http.Agent` of plain HTTP: its connections are dialled by us, so that what was judged is what is reached. */
import { Agent, type ClientRequest, type ClientRequestArgs } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { PreauError } from '../errors.ts'
import { parseHost, type Host, type Target } from '../policy/host.ts'
import type { Dial, OnDialled } from './dial.ts'
import { heldBack } from './held-back.ts'
import type { Sharer } from './shares.ts'

// Idle sockets to origins: closed before most origins do it, so that few requests meet a closing one.
const IDLE_MS = 4_000
const FREE_PER_ORIGIN = 256
// `maxFreeSockets` is per origin and a client chooses the origins: this is the bound over all of them.
const FREE_IN_ALL = 2_000

// Otherwise Node works out for each request the name that TLS would ask for.
const NO_TLS = { servername: '' }

type OnCreate = (error: Error | null, socket: Duplex) => void

export interface DialAgentOptions {
  readonly keepAlive: boolean
  /** How long an origin may say nothing while it is asked; 0: no bound. */
  readonly silenceMs: number
  /** How long a client may take nothing of an answer; noticed up to `silenceMs` later, with which it begins. */
  readonly heldBackMs: number
  /** One was silent for so long: an origin, or a client that takes nothing. */
  readonly onSilence: (of: 'origin' | 'client') => void
}

type DialArgs = ClientRequestArgs & { readonly by?: ConnectionAgent }

export class DialAgent extends Agent {
  readonly #dial: Dial
  readonly #keepAlive: boolean
  readonly #silenceMs: number
  readonly #heldBackMs: number
  readonly #onSilence: DialAgentOptions['onSilence']
  readonly #free = new Set<Duplex>()
  readonly #ofConnections = new WeakMap<Socket, ConnectionAgent>()

  constructor(dial: Dial, options: DialAgentOptions) {
    super({
      keepAlive: options.keepAlive,
      timeout: IDLE_MS,
      maxFreeSockets: FREE_PER_ORIGIN,
      ...NO_TLS,
    })
    this.#dial = dial
    this.#keepAlive = options.keepAlive
    this.#silenceMs = options.silenceMs
    this.#heldBackMs = options.heldBackMs || Infinity
    this.#onSilence = options.onSilence
  }

  /** This agent as one client connection sees it: what is dialled is counted for its client, and ends with the connection. */
  of(connection: Socket, client: Sharer): Agent {
    let agent = this.#ofConnections.get(connection)
    if (agent === undefined) {
      agent = new ConnectionAgent(this, client, this.#keepAlive)
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
    socket.once('close', () => this.#free.delete(socket))
    socket.on('timeout', () => {
      if (this.#free.has(socket)) return
      const held = heldBack(socket)
      const ms = held === undefined ? Infinity : performance.now() - held.at
      if (ms < (held?.isHeld === true ? this.#heldBackMs : this.#silenceMs)) {
        socket.setTimeout(this.#silenceMs)
        return
      }
      this.#onSilence(held?.isHeld === true ? 'client' : 'origin')
      socket.destroy(new PreauError('PREAU_DIAL_TIMEOUT', { host }))
    })
    socket.setTimeout(this.#silenceMs)
  }

  // Node's own name has room for all that TLS could tell apart; two of these are asked for each request.
  override getName({
    host,
    port,
  }: { host?: string | null; port?: string | number | null } = {}): string {
    return `${host}:${port}`
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
    ;(socket as Socket).setTimeout(this.#silenceMs)
  }
}

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
  readonly #agent: TakesRequests
  readonly #client: Sharer
  readonly #dials = new Set<() => void>()

  constructor(agent: DialAgent, client: Sharer, keepAlive: boolean) {
    this.keepAlive = keepAlive
    this.#agent = agent as unknown as TakesRequests
    this.#client = client
  }

  addRequest(request: ClientRequest, options: object): void {
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
      end(socket, error)
    })
    if (!isOver) this.#dials.add(abandon)
  }

  readonly onClose = (): void => {
    for (const abandon of this.#dials) abandon()
    this.#dials.clear()
  }
}
