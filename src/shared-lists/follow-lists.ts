/**
 * Keeps the files of a machine equal to what the store names, in the admin process: brings what the machine lacks, the index
 * in force first, and publishes what the store lacks. The workers see the files come.
 */
import type { Logger } from 'pino'
import { indexFile, type NamedVersions } from '../categories/lists.ts'
import type { Config } from '../config.ts'
import { causeOf, type PreauError } from '../errors.ts'
import { machineName } from '../machine.ts'
import { CURRENT } from '../policy/document.ts'
import type { Store, Stored } from '../store/store.ts'
import { bringIndex, bringTexts, isAboutOneFile, type SharedFolder } from './bring.ts'
import { FileAlarms } from './file-alarms.ts'
import { heal } from './heal.ts'
import { MAX_ALARMS } from './list-alarms.ts'
import { publishMissing } from './publish.ts'
import { tidyLists } from './tidy.ts'

export interface FollowLists {
  readonly store: Store
  readonly config: Pick<Config, 'dataDir'>
  readonly clock: () => number
  readonly logger: Pick<Logger, 'warn'>
  /** Only tests wait less. */
  readonly lateMs?: number
}

/** When nothing changes: a file that was deleted by hand, a store that came back without its files. */
const PERIOD_MS = 30_000
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 15_000
/** A slow link and a big list take their time; after this somebody must know. */
const LATE_MS = 120_000

/** Follows until it is stopped; asks nothing where one machine has the store to itself, or while that is not known yet. */
export function followLists(options: FollowLists): { stop(): Promise<void> } {
  const follower = new ListsFollower(options)
  return { stop: () => follower.stop() }
}

interface Named extends NamedVersions {
  /** Alarms about files in the store, of all machines. */
  readonly damaged: readonly Stored<'alarm'>[]
  /** Those of this machine about its own index in force. */
  readonly broken: readonly Stored<'alarm'>[]
  /** Changes with all that there is to do. */
  readonly key: string
}

class Superseded extends Error {}

class ListsFollower {
  readonly #options: FollowLists
  readonly #machine: string
  readonly #alarms: FileAlarms
  readonly #unwatch: () => void
  readonly #ended: Promise<void>
  #turn = new AbortController()
  #key = ''
  #said = ''
  #mendedAt: number | undefined
  #healed: readonly Stored<'alarm'>[] = []
  #wake = (): void => undefined
  #isStopped = false

  constructor(options: FollowLists) {
    const { store, config, lateMs = LATE_MS } = options
    const { dataDir } = config
    this.#options = options
    this.#machine = machineName(config)
    this.#alarms = new FileAlarms({ ...options, dataDir, machine: this.#machine, lateMs })
    this.#unwatch = store.watch(() => void this.#onChange())
    this.#ended = this.#run()
  }

  get #place(): SharedFolder {
    const { store, config } = this.#options
    return { dataDir: config.dataDir, files: store.files }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#unwatch()
    this.#alarms.close()
    this.#supersede()
    await this.#ended
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#isStopped;) {
      this.#turn = new AbortController()
      const { signal } = this.#turn
      try {
        await this.#takeTurn(signal)
        failures = 0
        this.#said = ''
      } catch (error) {
        if (signal.aborted) continue
        failures++
        this.#warn(error)
      }
      if (!signal.aborted) await this.#sleep(pauseAfter(failures))
    }
  }

  /** A file that is lost for good is said once, not every few seconds. */
  #warn(error: unknown): void {
    const said = causeOf(error)
    if (said === this.#said) return
    this.#said = said
    this.#options.logger.warn({ err: error }, 'files of the lists could not be exchanged')
  }

  #sleep(ms: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** A change ends the turn that is going on: what it brings may be worth nothing any more. */
  async #onChange(): Promise<void> {
    const named = await this.#read().catch(() => undefined)
    if (named !== undefined && named.key !== this.#key) this.#supersede()
  }

  #supersede(): void {
    this.#turn.abort(new Superseded())
    this.#wake()
  }

  async #read(): Promise<Named | undefined> {
    const { store } = this.#options
    if (store.files === undefined) return undefined
    const [lists, candidate, alarms] = await Promise.all([
      store.get('lists', CURRENT),
      store.get('candidate', CURRENT),
      store.list('alarm', { limit: MAX_ALARMS }),
    ])
    if (lists === undefined) return undefined
    const damaged = alarms.filter(({ body }) => body.kind === 'shared-file-damaged')
    const broken = alarms.filter(
      ({ body: { kind, machine, subject } }) =>
        kind === 'index-damaged' && machine === this.#machine && subject === lists.body.index,
    )
    const ids = [...damaged, ...broken].map(({ id }) => id)
    const key = JSON.stringify([lists.version, candidate?.version, ids])
    return { lists: lists.body, candidate: candidate?.body, damaged, broken, key }
  }

  async #takeTurn(signal: AbortSignal): Promise<void> {
    const named = await this.#read()
    if (named === undefined) return
    this.#key = named.key
    const failures: PreauError[] = []
    const note = (error: unknown): void => {
      // One file that cannot be had keeps no other from coming. A store that is away, or a full disk, does.
      if (signal.aborted || !isAboutOneFile(error)) throw error
      failures.push(error)
    }
    const { lists, candidate } = named
    const versions = [lists, lists.previous ?? [], candidate?.version ?? []].flat()
    await this.#mend(named, signal).catch(note)
    for (const bring of [bringIndex, bringTexts]) {
      for (const version of versions) {
        this.#alarms.expect(named)
        await bring(this.#place, version, { signal }).catch(note)
      }
    }
    this.#alarms.expect(named)
    await this.#giveBack(named, signal)
    await this.#alarms.settle(named, failures)
    const { store, clock } = this.#options
    await tidyLists(store, this.#place.dataDir, clock(), signal)
    const [first] = failures
    if (first !== undefined) throw first
  }

  /** An index of this machine that a worker could not use is fetched anew, once: workers see that the file is another one. */
  async #mend({ lists, broken }: Named, signal: AbortSignal): Promise<void> {
    const [alarm] = broken
    if (alarm === undefined || alarm.body.at === this.#mendedAt) return
    this.#mendedAt = alarm.body.at
    await this.#place.files?.fetch(lists.index, indexFile(this.#place.dataDir, lists), { signal })
  }

  /** What this machine has and the store lacks, or has in pieces: once for each alarm. */
  async #giveBack(named: Named, signal: AbortSignal): Promise<void> {
    await publishMissing(this.#place, named, signal)
    const fresh = named.damaged.filter(({ id }) => !this.#healed.some(known => known.id === id))
    await heal(
      this.#place,
      fresh.map(({ body }) => body.subject),
      signal,
    )
    this.#healed = named.damaged
  }
}

function pauseAfter(failures: number): number {
  if (failures === 0) return PERIOD_MS
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10))
}
