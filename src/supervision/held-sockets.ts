/**
 * The listening sockets, held by the supervisor: it never accepts, and hands their descriptors to its children. What
 * connects while a child is away waits in the queue of the system for the one that comes after it, and two generations can
 * take from the same queue while one replaces the other.
 */
import { once } from 'node:events'
import { BoundSocket, createServer, isIP, type AddressInfo } from 'node:net'
import { platform } from 'node:os'
import { setTimeout as elapsed } from 'node:timers/promises'

/** The children of a supervisor that has gone notice at once, and come to us: worth waiting for. */
const PATIENCE_MS = 3_000
const RETRY_MS = 50

/** Listens for a moment, without `reusePort`. */
async function probe(host: string, port: number): Promise<AddressInfo> {
  const server = createServer().listen({ host, port })
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return address
}

/** The sockets of one address: one for each place, among which the system spreads the connections. */
export class HeldSockets {
  readonly #sockets = new Map<number, BoundSocket>()
  readonly #host: string
  #port: number

  /** `host`: an address. Port 0: any free one, and the same for all places. */
  constructor(host: string, port: number) {
    this.#host = host
    this.#port = port
    this.fdOf(1)
  }

  /**
   * Finds the address of a name and binds the socket of the first place. Rejects with the error of the system; EADDRINUSE
   * also where another Préau is there, whose sockets would share the port with ours without a word. `isOurs`: whether a
   * port is held by those whom we are to replace.
   */
  static async claim(
    { host, port }: Pick<AddressInfo, 'port'> & { host: string },
    isOurs: (port: number) => boolean = () => false,
  ): Promise<HeldSockets> {
    const until = performance.now() + PATIENCE_MS
    for (;;) {
      try {
        const { address } = await probe(host, isOurs(port) ? 0 : port)
        return new HeldSockets(isIP(host) === 0 ? address : host, port)
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        if (!isTaken || performance.now() > until) throw error
        await elapsed(RETRY_MS)
      }
    }
  }

  get port(): number {
    return this.#port
  }

  /** Descriptor of the socket of a place, which is bound first where it is not. Throws the error of the system. */
  fdOf(place: number): number {
    const held = this.#sockets.get(place)
    if (held !== undefined) return held.fd()
    const socket = new BoundSocket({
      host: this.#host,
      port: this.#port,
      // Who else would share the port so must be of the same user (socket(7), SO_REUSEPORT). Not every system has it.
      reusePort: platform() === 'linux',
    })
    this.#sockets.set(place, socket)
    this.#port = socket.address().port
    return socket.fd()
  }

  /** Once no child listens on it either, what waits in its queue is reset, and others get what comes. */
  giveUp(place: number): void {
    this.#sockets.get(place)?.close()
    this.#sockets.delete(place)
  }

  giveUpAll(): void {
    for (const place of this.#sockets.keys()) this.giveUp(place)
  }
}
