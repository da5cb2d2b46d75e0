/** The primary process: holds the sockets, keeps N proxy workers and one admin process running, and ends them. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import type { Role } from '../messages.ts'
import { borrowFolder } from './borrowed-folder.ts'
import { Gathering } from './gathering.ts'
import { Heartbeat } from './heartbeat.ts'
import { HeldSockets } from './held-sockets.ts'
import { Orphans } from './orphans.ts'
import { Place } from './place.ts'

/**
 * Starts everything, beside the children of a supervisor that has gone where there are any; resolves when the proxy and the
 * admin app both listen. `prepare` runs once the ports are ours: a start that finds them taken makes nothing, least of all
 * a CA. Throws PREAU_PORT_TAKEN and PREAU_CANNOT_LISTEN, what `prepare` throws, and what the first failing child said.
 */
export async function supervise(
  config: Config,
  logger: Logger,
  prepare: () => Promise<void>,
): Promise<Supervisor> {
  const folder = await borrowFolder(config.dataDir)
  const orphans = await Orphans.expect(config.dataDir, logger)
  const isOurs = (port: number): boolean => orphans.hold(port)
  const held: HeldSockets[] = []
  const claim = async (role: Role): Promise<HeldSockets> => {
    const sockets = await HeldSockets.claim(config[role], isOurs).catch((error: unknown) => {
      throw cannotListen(role, config[role], error)
    })
    held.push(sockets)
    return sockets
  }
  try {
    const proxy = await claim('proxy')
    const admin = await claim('admin')
    await prepare()
    const supervisor = new Supervisor(config, { proxy, admin }, orphans, logger)
    await supervisor.start().catch(async (error: unknown) => {
      await supervisor.stop()
      throw error
    })
    return supervisor
  } catch (error) {
    for (const sockets of held) sockets.giveUpAll()
    orphans.leave()
    await folder.giveBack()
    throw error
  }
}

function cannotListen(
  key: Role,
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
): PreauError {
  const code =
    (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      ? 'PREAU_PORT_TAKEN'
      : 'PREAU_CANNOT_LISTEN'
  return new PreauError(code, { key, host, port, detail: detailOf(error) }, { cause: error })
}

interface Sockets {
  readonly proxy: HeldSockets
  readonly admin: HeldSockets
}

export class Supervisor {
  readonly #sockets: Sockets
  readonly #orphans: Orphans
  readonly #logger: Logger
  readonly #heartbeat = new Heartbeat()
  readonly #gathering: Gathering
  readonly #admin: Place
  #workers: readonly Place[]
  /** All in which something may run, also those that are on their way out. */
  readonly #places = new Set<Place>()
  #config: Config
  #isStopping = false

  constructor(config: Config, sockets: Sockets, orphans: Orphans, logger: Logger) {
    this.#config = config
    this.#sockets = sockets
    this.#orphans = orphans
    this.#logger = logger
    this.#gathering = new Gathering(config.workers)
    this.#workers = numbers(1, config.workers).map(number => this.#place('proxy', number, config))
    this.#admin = this.#place('admin', 1, config)
  }

  /** The configuration in force; its ports are those that were asked for. */
  get config(): Config {
    return this.#config
  }

  get proxyPort(): number {
    return this.#sockets.proxy.port
  }

  get adminPort(): number {
    return this.#sockets.admin.port
  }

  get isStopping(): boolean {
    return this.#isStopping
  }

  async start(): Promise<void> {
    this.#heartbeat.start(this.#config.limits.heartbeatTimeoutMs)
    await Promise.all(this.#workers.map(worker => worker.start()))
    // The proxy first: once the admin app answers /healthz, everything is ready.
    await this.#admin.start()
    this.#orphans.dismiss(this.#config.limits.handoverTimeoutMs)
  }

  /**
   * Replaces one process after the other, each once its successor is ready. Where one does not come to listen, those that
   * have been replaced go back to the configuration of before, and what it said is thrown. One call at a time.
   */
  async replaceAll(config: Config): Promise<void> {
    const before = this.#config
    const staying = this.#workers.slice(0, config.workers)
    const surplus = this.#workers.slice(config.workers)
    const added = numbers(staying.length + 1, config.workers).map(number =>
      this.#place('proxy', number, config),
    )
    const replaced: Place[] = []
    try {
      for (const place of [...staying, this.#admin]) {
        await place.replace(this.#withPorts(config))
        replaced.push(place)
      }
      for (const place of added) await place.start()
    } catch (error) {
      for (const place of added) void this.#dismiss(place, 0)
      if (!this.#isStopping) await this.#goBack(replaced, before)
      throw error
    }
    this.#config = config
    this.#workers = [...staying, ...added]
    this.#gathering.configured = config.workers
    this.#heartbeat.start(config.limits.heartbeatTimeoutMs)
    for (const place of surplus) void this.#dismiss(place, config.limits.handoverTimeoutMs)
  }

  async #goBack(places: readonly Place[], config: Config): Promise<void> {
    for (const place of places) {
      const { role, number } = place
      await place.replace(this.#withPorts(config)).catch((error: unknown) => {
        const who = { role, place: number, err: error }
        this.#logger.error(who, 'a process could not go back to the configuration of before')
      })
    }
  }

  /** Ends all processes, those that drain too. A second call ends them at once. */
  async stop(): Promise<void> {
    if (this.#isStopping) for (const mortal of [...this.#places, this.#orphans]) mortal.kill()
    // Nobody is to wait in a queue from which nobody takes.
    this.#letGo()
    const { drainTimeoutMs } = this.#config.limits
    const ends = [...this.#places].map(place => place.stop(drainTimeoutMs))
    await Promise.all([...ends, this.#orphans.end(drainTimeoutMs)])
    this.#heartbeat.stop()
  }

  /** Lets all processes go on as they are, for the supervisor that comes after this one. Nothing keeps this process then. */
  leave(): void {
    this.#letGo()
    for (const place of this.#places) place.leave()
    this.#orphans.leave()
    this.#heartbeat.stop()
  }

  #letGo(): void {
    this.#isStopping = true
    this.#sockets.proxy.giveUpAll()
    this.#sockets.admin.giveUpAll()
  }

  #place(role: Role, number: number, config: Config): Place {
    const place = new Place(role, number, this.#withPorts(config), {
      sockets: this.#sockets[role],
      gathering: this.#gathering,
      heartbeat: this.#heartbeat,
      logger: this.#logger,
    })
    this.#places.add(place)
    return place
  }

  async #dismiss(place: Place, drainMs: number): Promise<void> {
    this.#sockets[place.role].giveUp(place.number)
    await place.stop(drainMs)
    this.#places.delete(place)
  }

  /** What the children are told: the ports that the sockets really have, so that they know their own. */
  #withPorts(config: Config): Config {
    return {
      ...config,
      proxy: { ...config.proxy, port: this.proxyPort },
      admin: { ...config.admin, port: this.adminPort },
    }
  }
}

const numbers = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i)
