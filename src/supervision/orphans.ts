/**
 * The children of a supervisor that has gone (killed, or told to leave): they go on serving, and come to us one after the
 * other. Once our own children serve they are told to drain, and so is whoever comes later.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import type { Logger } from 'pino'
import { helloSchema, readLines, sayLine, type Hello } from '../succession/lines.ts'
import {
  canBeSucceeded,
  openMeetingPlace,
  visit,
  type MeetingPlace,
} from '../succession/meeting-place.ts'
import { Ending } from './ending.ts'

/** An orphan says at once who it is. */
const HELLO_MS = 2_000
/** More than any machine has workers of all its generations. */
const MAX_ORPHANS = 2_048

export class Orphans {
  readonly #orphans = new Set<Orphan>()
  readonly #logger: Pick<Logger, 'warn'>
  #place: MeetingPlace | undefined
  #server: Server | undefined
  /** Undefined: they are to go on serving. */
  #drainMs: number | undefined

  private constructor(logger: Pick<Logger, 'warn'>) {
    this.#logger = logger
  }

  /**
   * Waits for orphans at the data folder from now on. Where a supervisor lives there already, or the folder takes no
   * sockets, nobody will come: the latter is told, and ours will then end with us.
   */
  static async expect(dataDir: string, logger: Pick<Logger, 'warn'>): Promise<Orphans> {
    const orphans = new Orphans(logger)
    if (!canBeSucceeded) return orphans
    try {
      await orphans.#listen(openMeetingPlace(dataDir))
    } catch (error) {
      logger.warn({ err: error }, 'a supervisor that dies will have no successor without a hole')
    }
    return orphans
  }

  async #listen(place: MeetingPlace): Promise<void> {
    this.#place = place
    if (await isTaken(place)) return
    rmSync(place.path, { force: true })
    const server = createServer(socket => this.#meet(socket))
    server.maxConnections = MAX_ORPHANS
    server.listen(place.path)
    await once(server, 'listening')
    this.#server = server
  }

  #meet(socket: Socket): void {
    socket.setTimeout(HELLO_MS, () => socket.destroy())
    socket.on('error', () => undefined)
    let orphan: Orphan | undefined
    readLines(socket, helloSchema, hello => {
      if (orphan !== undefined) return
      socket.setTimeout(0)
      orphan = new Orphan(hello, socket)
      this.#welcome(orphan)
    })
  }

  #welcome(orphan: Orphan): void {
    this.#orphans.add(orphan)
    void orphan.exited.then(() => this.#orphans.delete(orphan))
    const { role, pid } = orphan.hello
    this.#logger.warn({ role, pid }, 'a process whose supervisor has gone is followed')
    if (this.#drainMs !== undefined) void orphan.ending.within(this.#drainMs)
  }

  /** Whether one of them listens on this port. */
  hold(port: number): boolean {
    return [...this.#orphans].some(({ hello }) => hello.port === port)
  }

  /** Those who are there drain, and whoever comes later. */
  dismiss(drainMs: number): void {
    this.#drainMs = drainMs
    for (const { ending } of this.#orphans) void ending.within(drainMs)
  }

  /** Ends those who were dismissed; the others go on, for whoever comes after us. Resolves when they have ended. */
  async end(drainMs: number): Promise<void> {
    this.#server?.close()
    if (this.#drainMs !== undefined)
      await Promise.all([...this.#orphans].map(({ ending }) => ending.within(drainMs)))
    this.leave()
  }

  kill(): void {
    if (this.#drainMs !== undefined) for (const orphan of this.#orphans) orphan.kill()
  }

  /** Lets all of them go as they are. */
  leave(): void {
    this.#server?.close()
    for (const orphan of this.#orphans) orphan.leave()
    this.#place?.close()
    this.#place = undefined
  }
}

class Orphan {
  readonly hello: Hello
  readonly exited: Promise<void>
  readonly ending: Ending
  readonly #socket: Socket

  constructor(hello: Hello, socket: Socket) {
    this.hello = hello
    this.#socket = socket
    // Its end of the connection lasts as long as the process.
    this.exited = new Promise(resolve => socket.once('close', () => resolve()))
    this.ending = new Ending({
      tell: drainMs => void sayLine(socket, { type: 'stop', drainMs }),
      kill: () => this.kill(),
      exited: this.exited,
    })
  }

  kill(): void {
    // While its connection is open its number cannot have gone to another process.
    if (this.#socket.closed) return
    try {
      process.kill(this.hello.pid, 'SIGKILL')
    } catch {
      // It has just ended, which is all that is wanted.
    }
  }

  leave(): void {
    this.ending.forget()
    this.#socket.destroy()
  }
}

async function isTaken(place: MeetingPlace): Promise<boolean> {
  const socket = visit(place)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
