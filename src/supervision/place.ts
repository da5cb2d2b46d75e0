/** One place among the processes: somebody serves in it, is followed by a successor when he dies or is replaced, and drains. */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Role } from '../messages.ts'
import { BackOff } from './back-off.ts'
import type { Following, Gathering } from './gathering.ts'
import type { HeldSockets } from './held-sockets.ts'
import type { Heartbeat, Pulse } from './heartbeat.ts'
import { Member } from './member.ts'

export interface PlaceDeps {
  readonly sockets: HeldSockets
  readonly gathering: Gathering
  readonly heartbeat: Heartbeat
  readonly logger: Logger
}

/** What has connected waits so long for a successor; then the socket is given up, and others are tried. */
const VACANT_MS = 5_000
/** Each generation that drains keeps its memory: of one place no more than this, the oldest goes first. */
const MAX_DRAINING = 3

interface Served {
  readonly member: Member
  readonly following: Following
}

export class Place {
  readonly role: Role
  readonly number: number
  readonly #deps: PlaceDeps
  readonly #backOff = new BackOff()
  readonly #draining = new Set<Member>()
  #config: Config
  #current: Served | undefined
  #coming: Member | undefined
  #restartTimer: NodeJS.Timeout | undefined
  #vacantTimer: NodeJS.Timeout | undefined
  #isGivenUp = false
  #isStopping = false

  /** `number`: of a worker among the workers, from 1. */
  constructor(role: Role, number: number, config: Config, deps: PlaceDeps) {
    this.role = role
    this.number = number
    this.#config = config
    this.#deps = deps
  }

  /** Starts the first one; a failure is reported, not retried. */
  start(): Promise<void> {
    return this.#bring(this.#config, false)
  }

  /**
   * Puts a new one in its place, and lets the old one drain once the new one is ready; resolves once the old one takes no
   * new connection any more. Rejects with what the new one said when it did not come to listen; the old one, and the
   * configuration of whoever comes after it, then stay.
   */
  async replace(config: Config): Promise<void> {
    this.#forgetRestart()
    try {
      await this.#bring(config, false)
    } finally {
      if (this.#current === undefined) this.#restartLater(0)
    }
  }

  /** Lets all that runs here go as it is; who has not come to listen yet is ended. */
  leave(): void {
    this.#isStopping = true
    this.#forgetRestart()
    clearTimeout(this.#vacantTimer)
    this.#coming?.kill()
    this.#current?.member.leave()
    for (const member of this.#draining) member.leave()
  }

  /** Ends all that runs here. A second call may shorten the time. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true
    this.#forgetRestart()
    clearTimeout(this.#vacantTimer)
    const members = [...this.#draining]
    if (this.#current !== undefined) members.push(this.#current.member)
    await Promise.all([this.#coming?.stop(0), ...members.map(member => member.stop(drainMs))])
  }

  kill(): void {
    this.#coming?.kill()
    this.#current?.member.kill()
    for (const member of this.#draining) member.kill()
  }

  async #bring(config: Config, isRestart: boolean): Promise<void> {
    if (this.#isStopping) throw new Error('it is being stopped')
    const { sockets, gathering } = this.#deps
    // One that is just being started for somebody who died is too late: this one is newer.
    this.#coming?.kill()
    const member = new Member({ role: this.role, config }, sockets.fdOf(this.number))
    this.#coming = member
    const origin = { role: this.role, place: this.number, isRestart }
    const following = gathering.follow(origin, member.process)
    try {
      await member.ready
    } finally {
      if (this.#coming === member) this.#coming = undefined
    }
    if (this.#isStopping) return
    this.#config = config
    const before = this.#dismiss()
    this.#serve({ member, following })
    await before?.hasLeft
  }

  #serve(served: Served): void {
    const { member } = served
    clearTimeout(this.#vacantTimer)
    this.#isGivenUp = false
    this.#current = served
    this.#watch(member)
    void member.exited.then(({ code, signal }) => {
      if (this.#isStopping || this.#current !== served) return
      this.#current = undefined
      const restartInMs = this.#backOff.after(member.servedMs)
      const { role, number: place } = this
      const { pid } = member
      this.#deps.logger.error({ role, place, pid, code, signal, restartInMs }, 'a process died')
      this.#vacantTimer = setTimeout(() => this.#giveUp(), VACANT_MS)
      if (this.#coming === undefined) this.#restartLater(restartInMs)
    })
  }

  /** The one that serves drains, and is no longer the one that serves. */
  #dismiss(): Member | undefined {
    if (this.#current === undefined) return undefined
    const { member, following } = this.#current
    this.#current = undefined
    following.drains()
    const [oldest] = this.#draining
    if (this.#draining.size >= MAX_DRAINING) void oldest?.stop(0)
    this.#draining.add(member)
    void member
      .stop(this.#config.limits.handoverTimeoutMs)
      .then(() => this.#draining.delete(member))
    void member.exited.then(({ code, signal }) => {
      if (code === 0) return
      const { role, number: place } = this
      const who = { role, place, pid: member.pid, code, signal }
      this.#deps.logger.error(who, 'a process that had been replaced died before it had drained')
    })
    return member
  }

  #watch(member: Member): void {
    const { heartbeat, logger } = this.#deps
    const { role, number: place } = this
    let lastLagMs = 0
    const pulse: Pulse = {
      ask: () => member.ping(),
      onSilent: () => {
        logger.error({ role, place, pid: member.pid, lastLagMs }, 'a process hangs: it is ended')
        member.kill()
      },
    }
    member.onBeat = lagMs => {
      lastLagMs = lagMs
      heartbeat.beat(pulse)
    }
    heartbeat.watch(pulse)
    void member.exited.then(() => heartbeat.forget(pulse))
  }

  #giveUp(): void {
    this.#isGivenUp = true
    this.#deps.sockets.giveUp(this.number)
  }

  #restartLater(delayMs: number): void {
    if (this.#isStopping) return
    this.#restartTimer = setTimeout(() => void this.#restart(), delayMs)
  }

  #forgetRestart(): void {
    clearTimeout(this.#restartTimer)
  }

  async #restart(): Promise<void> {
    try {
      await this.#bring(this.#config, true)
    } catch (error) {
      // Another one has been brought meanwhile, or is being brought.
      if (this.#isStopping || this.#coming !== undefined || this.#current !== undefined) return
      // It has bound the socket anew, and may have died with people in its queue.
      if (this.#isGivenUp) this.#giveUp()
      const restartInMs = this.#backOff.after(0)
      const { role, number: place } = this
      this.#deps.logger.error(
        { role, place, err: error, restartInMs },
        'a process could not be restarted',
      )
      this.#restartLater(restartInMs)
    }
  }
}
