/**
 * Happy Eyeballs (RFC 8305 §5): addresses are tried one after the other, each with a short head start, and none is given
 * up before the first has connected or the last has failed. Node's own `autoSelectFamily` gives each up at the next.
 */
import { connect, type OnReadOpts, type Socket } from 'node:net'
import type { Host } from '../policy/host.ts'
import type { Deadlines, Due } from './deadlines.ts'
import type { Waiting } from './resolver.ts'

/** The head start of an address (RFC 8305 §8). */
const HEAD_START_MS = 250

export interface RaceOptions {
  readonly port: number
  readonly timeoutMs: number
  /** Hears when the time is up. */
  readonly deadlines: Deadlines
  readonly onread?: OnReadOpts | undefined
}

/** How a race ends: a socket that stands, or why none does. `undefined`: the time was up. */
export type OnFinish = (won: Socket | undefined, error: NodeJS.ErrnoException | undefined) => void

/**
 * Connects to the first of `addresses` that answers. `timeoutMs` is for all of them together; 0: no bound. Who abandons what it
 * answers hears nothing more; after the end that does nothing.
 */
export function race(
  addresses: readonly Host[],
  options: RaceOptions,
  onFinish: OnFinish,
): Waiting {
  const [first] = addresses
  if (addresses.length === 1 && first !== undefined)
    return new Attempt(first, options, onFinish).begin(options.timeoutMs)
  const all = new Race(interleave(addresses), options, onFinish)
  all.next()
  return all
}

const ATTEMPT = Symbol('attempt')
type Attempted = Socket & { [ATTEMPT]?: Attempt | undefined }

/** One address that is tried. Its listeners are the same functions for all: most connections need no more than this. */
class Attempt implements Due, Waiting {
  readonly socket: Socket
  seat = -1
  dueAt = 0
  readonly #deadlines: Deadlines
  readonly #onFinish: OnFinish

  constructor(host: Host, { port, deadlines, onread }: RaceOptions, onFinish: OnFinish) {
    this.#deadlines = deadlines
    this.#onFinish = onFinish
    const to = { host, port, allowHalfOpen: true, noDelay: true }
    this.socket = connect(onread === undefined ? to : { ...to, onread })
    const attempted: Attempted = this.socket
    attempted[ATTEMPT] = this
  }

  begin(timeoutMs: number): this {
    this.socket.on('connect', onConnect).on('error', onError)
    this.#deadlines.add(this, timeoutMs)
    return this
  }

  onLate(): void {
    this.finish(false, undefined)
  }

  finish(hasWon: boolean, error: Error | undefined): void {
    const { socket } = this
    this.#letGo()
    if (!hasWon) drop(socket)
    this.#onFinish(hasWon ? socket : undefined, error)
  }

  /** Nobody waits for it: another address was faster, or the client has left. After its end the socket is not ours. */
  abandon(): void {
    const attempted: Attempted = this.socket
    if (attempted[ATTEMPT] === undefined) return
    this.#letGo()
    drop(this.socket)
  }

  #letGo(): void {
    const attempted: Attempted = this.socket
    this.#deadlines.delete(this)
    attempted[ATTEMPT] = undefined
    attempted.off('connect', onConnect).off('error', onError)
  }
}

function onConnect(this: Attempted): void {
  this[ATTEMPT]?.finish(true, undefined)
}

function onError(this: Attempted, error: Error): void {
  this[ATTEMPT]?.finish(false, error)
}

function drop(socket: Socket): void {
  socket.on('error', ignore)
  socket.destroy()
}

const ignore = (): void => undefined

class Race implements Waiting {
  readonly #left: Host[]
  readonly #options: RaceOptions
  readonly #onFinish: OnFinish
  readonly #running = new Set<Attempt>()
  readonly #startedAt = performance.now()
  #headStart: NodeJS.Timeout | undefined
  #failure: NodeJS.ErrnoException | undefined

  constructor(addresses: Host[], options: RaceOptions, onFinish: OnFinish) {
    this.#left = addresses
    this.#options = options
    this.#onFinish = onFinish
  }

  next(): void {
    clearTimeout(this.#headStart)
    const host = this.#left.shift()
    if (host === undefined) return
    const leftMs = this.#leftMs()
    if (leftMs < 0) {
      this.#finish(undefined)
      return
    }
    const attempt = new Attempt(host, this.#options, (won, error) => {
      this.#running.delete(attempt)
      if (won !== undefined) this.#finish(won)
      else this.#lost(error)
    })
    this.#running.add(attempt)
    attempt.begin(leftMs)
    if (this.#left.length > 0) this.#headStart = setTimeout(() => this.next(), HEAD_START_MS)
  }

  /** Of the time of all; 0: no bound. Below 0: it is up. */
  #leftMs(): number {
    const { timeoutMs } = this.#options
    return timeoutMs === 0 ? 0 : this.#startedAt + timeoutMs - performance.now() || -1
  }

  #lost(error: NodeJS.ErrnoException | undefined): void {
    this.#failure ??= error
    // The time of one is the time of all.
    if (error === undefined) this.#finish(undefined)
    else if (this.#left.length > 0) this.next()
    else if (this.#running.size === 0) this.#finish(undefined)
  }

  #finish(won: Socket | undefined): void {
    this.abandon()
    this.#onFinish(won, this.#failure)
  }

  abandon(): void {
    clearTimeout(this.#headStart)
    this.#left.length = 0
    for (const attempt of this.#running) attempt.abandon()
    this.#running.clear()
  }
}

/** One of each family in turn, beginning with that of the first (RFC 8305 §4). */
function interleave(addresses: readonly Host[]): Host[] {
  const startsWithV6 = addresses[0] !== undefined && isV6(addresses[0])
  const own = addresses.filter(address => isV6(address) === startsWithV6)
  const other = addresses.filter(address => isV6(address) !== startsWithV6)
  return own
    .flatMap((address, at) => [address, ...other.slice(at, at + 1)])
    .concat(other.slice(own.length))
}

const isV6 = (address: Host): boolean => address.includes(':')
