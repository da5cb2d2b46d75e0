/** Stands on the way to a Redis and does to it what networks do: delay, silence, cut connections, or answers of a server in trouble. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { CommandReader } from '../../support/resp.ts'
import type { Stage } from '../stage.ts'

export type Trouble =
  | { readonly kind: 'none' }
  /** Each reply comes this much later. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** Packets vanish both ways; those who connect are accepted and hear nothing. */
  | { readonly kind: 'mute' }
  /** Nobody listens, as it looks from outside: each connection ends at once. */
  | { readonly kind: 'gone' }
  /** Connections live this long at most. */
  | { readonly kind: 'cutting'; readonly ms: number }
  /** Every command gets this error, e.g. `LOADING Redis is loading the dataset in memory`. */
  | { readonly kind: 'error'; readonly text: string }

/** How long Redis may take for what was sent to it before the trouble began. */
const IN_FLIGHT_MS = 500

export interface Shim {
  readonly port: number
  trouble: Trouble
}

export async function openShim(stage: Stage, upstreamPort: () => number): Promise<Shim> {
  const links = new Set<Link>()
  let trouble: Trouble = { kind: 'none' }
  const server = createServer(client => {
    const link = new Link(client, upstreamPort(), () => trouble)
    links.add(link)
    client.once('close', () => links.delete(link))
    link.follow()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stage.onEnd(() => {
    server.close()
    for (const link of links) link.end()
  })
  return {
    port: (server.address() as AddressInfo).port,
    get trouble() {
      return trouble
    },
    set trouble(next) {
      trouble = next
      for (const link of links) link.follow()
    },
  }
}

/** One client and its connection to Redis. */
class Link {
  readonly #client: Socket
  readonly #upstream: Socket
  readonly #trouble: () => Trouble
  readonly #commands = new CommandReader()
  #cut: NodeJS.Timeout | undefined
  /** When the last reply is delivered. */
  #due = 0

  constructor(client: Socket, port: number, trouble: () => Trouble) {
    this.#client = client
    this.#upstream = connect(port, '127.0.0.1')
    this.#trouble = trouble
    for (const socket of [client, this.#upstream]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.end())
      socket.on('close', () => this.end())
    }
    client.on('data', (chunk: Buffer) => this.#ask(chunk))
    this.#upstream.on('data', (chunk: Buffer) => this.#answer(chunk))
  }

  /** Takes up what the trouble now is. */
  follow(): void {
    const trouble = this.#trouble()
    clearTimeout(this.#cut)
    // Half a command must not meet the other half of another one.
    if (trouble.kind === 'gone' || this.#commands.isMidway) return this.end()
    // What Redis has still to answer comes before our errors: an answer in another's place would be a fault of ours.
    this.#due = Math.max(
      this.#due,
      performance.now() + (trouble.kind === 'error' ? IN_FLIGHT_MS : 0),
    )
    if (trouble.kind === 'cutting')
      this.#cut = setTimeout(() => this.end(), Math.random() * trouble.ms)
    for (const socket of [this.#client, this.#upstream]) {
      if (trouble.kind === 'mute') socket.pause()
      else socket.resume()
    }
  }

  end(): void {
    clearTimeout(this.#cut)
    this.#client.destroy()
    this.#upstream.destroy()
  }

  #ask(chunk: Buffer): void {
    const count = this.#commands.feed(chunk).length
    const trouble = this.#trouble()
    if (trouble.kind === 'error') this.#deliver(`-${trouble.text}\r\n`.repeat(count), this.#due)
    else this.#upstream.write(chunk)
  }

  #answer(chunk: Buffer): void {
    const trouble = this.#trouble()
    const now = performance.now()
    if (trouble.kind === 'error') return this.#deliver(chunk, now)
    // What is late must not be overtaken by what comes after the trouble.
    this.#due = Math.max(this.#due, trouble.kind === 'slow' ? now + trouble.ms : now)
    this.#deliver(chunk, this.#due)
  }

  #deliver(bytes: Buffer | string, at: number): void {
    const waitMs = at - performance.now()
    if (waitMs <= 0) this.#client.write(bytes)
    else setTimeout(() => this.#client.destroyed || this.#client.write(bytes), waitMs)
  }
}
