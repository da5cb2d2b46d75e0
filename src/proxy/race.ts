/**
 * Happy Eyeballs (RFC 8305 §5): addresses are tried one after the other, each with a short head start, and none is given
 * up before the first has connected or the last has failed. Node's own `autoSelectFamily` gives each up at the next.
 */
import { connect, type OnReadOpts, type Socket } from 'node:net'
import type { Host } from '../policy/host.ts'

/** The head start of an address (RFC 8305 §8). */
const HEAD_START_MS = 250

export interface RaceOptions {
  readonly port: number
  readonly timeoutMs: number
  readonly onread?: OnReadOpts | undefined
}

/** How a race ends: a socket that stands, or why none does. `undefined`: the time was up. */
export type OnFinish = (won: Socket | undefined, error: NodeJS.ErrnoException | undefined) => void

/** Connects to the first of `addresses` that answers. `timeoutMs` is for all of them together; 0: no bound. */
export function race(addresses: readonly Host[], options: RaceOptions, onFinish: OnFinish): void {
  const [first] = addresses
  if (addresses.length === 1 && first !== undefined) attempt(first, options, onFinish)
  else new Race(interleave(addresses), options, onFinish).next()
}

function attempt(host: Host, { port, timeoutMs, onread }: RaceOptions, onFinish: OnFinish): Socket {
  const socket = connect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    ...(onread === undefined ? {} : { onread }),
  })
  const finish: OnFinish = (won, error) => {
    socket.off('timeout', late).off('error', fail).off('connect', stand)
    if (won === undefined) {
      socket.on('error', () => undefined)
      socket.destroy()
    } else socket.setTimeout(0)
    onFinish(won, error)
  }
  const late = (): void => finish(undefined, undefined)
  const fail = (error: Error): void => finish(undefined, error)
  const stand = (): void => finish(socket, undefined)
  socket.on('timeout', late).on('error', fail).on('connect', stand)
  socket.setTimeout(timeoutMs)
  return socket
}

class Race {
  readonly #left: Host[]
  readonly #options: RaceOptions
  readonly #onFinish: OnFinish
  readonly #running = new Set<Socket>()
  #headStart: NodeJS.Timeout | undefined
  #failure: NodeJS.ErrnoException | undefined
  #isOver = false

  constructor(addresses: Host[], options: RaceOptions, onFinish: OnFinish) {
    this.#left = addresses
    this.#options = options
    this.#onFinish = onFinish
  }

  next(): void {
    clearTimeout(this.#headStart)
    const host = this.#left.shift()
    if (host === undefined) return
    const socket = attempt(host, this.#options, (won, error) => {
      if (this.#isOver) return
      this.#running.delete(socket)
      if (won !== undefined) this.#finish(won)
      else this.#lost(error)
    })
    this.#running.add(socket)
    if (this.#left.length > 0) this.#headStart = setTimeout(() => this.next(), HEAD_START_MS)
  }

  #lost(error: NodeJS.ErrnoException | undefined): void {
    this.#failure ??= error
    // The time of the first is the time of all.
    if (error === undefined) this.#finish(undefined)
    else if (this.#left.length > 0) this.next()
    else if (this.#running.size === 0) this.#finish(undefined)
  }

  #finish(won: Socket | undefined): void {
    this.#isOver = true
    clearTimeout(this.#headStart)
    for (const socket of this.#running) {
      socket.on('error', () => undefined)
      socket.destroy()
    }
    this.#onFinish(won, this.#failure)
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
