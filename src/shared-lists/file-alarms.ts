/** What a machine has to say about files that do not come: at once nothing, later an alarm, and its end. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { indexFile, listsFolder, namesIn, type NamedVersions } from '../categories/lists.ts'
import { causeOf, type PreauError } from '../errors.ts'
import type { AlarmKind } from '../policy/alarm.ts'
import type { Store } from '../store/store.ts'
import { endAlarms, MAX_ALARMS, raiseAlarm } from './list-alarms.ts'

export interface FileAlarmsOptions {
  readonly store: Store
  readonly dataDir: string
  readonly machine: string
  readonly clock: () => number
  readonly logger: Pick<Logger, 'warn'>
  /** How long the index in force may be missing before somebody must know. */
  readonly lateMs: number
}

/** How soon an alarm is tried again that the store did not take. */
const RETRY_MS = 10_000

/** An index in force that is not here yet. */
interface Awaited {
  readonly index: string
  timer: NodeJS.Timeout | undefined
  /** The log has it that the alarm could not be written. */
  isWarned: boolean
}

/** Alarms whose subject is a file. */
const ABOUT_FILES: ReadonlySet<string> = new Set<AlarmKind>([
  'index-damaged',
  'lists-late',
  'shared-file-damaged',
])

export class FileAlarms {
  readonly #options: FileAlarmsOptions
  /** A file that was dropped while it was fetched looks damaged once; an alarm is for what is damaged again. */
  #suspects: ReadonlySet<string> = new Set()
  #awaited: Awaited | undefined

  constructor(options: FileAlarmsOptions) {
    this.#options = options
  }

  /** Begins to wait for an index, or ends it where it is here. */
  expect({ lists }: NamedVersions): void {
    const { lateMs, dataDir } = this.#options
    const isHere = existsSync(indexFile(dataDir, lists))
    if (!isHere && this.#awaited?.index === lists.index) return
    this.close()
    if (isHere) return
    const awaited: Awaited = { index: lists.index, isWarned: false, timer: undefined }
    awaited.timer = setTimeout(() => void this.#raiseLate(awaited), lateMs).unref()
    this.#awaited = awaited
  }

  /** Again and again while the store does not take it: nothing else would tell. */
  async #raiseLate(awaited: Awaited): Promise<void> {
    const { lateMs, store, clock, machine, logger } = this.#options
    const about = { kind: 'lists-late', subject: awaited.index, machine } as const
    try {
      await raiseAlarm(store, { ...about, detail: '', at: clock() })
    } catch (error) {
      if (this.#awaited !== awaited) return
      if (!awaited.isWarned) logger.warn({ err: error }, 'the alarm could not be written')
      awaited.isWarned = true
      const again = Math.min(lateMs, RETRY_MS)
      awaited.timer = setTimeout(() => void this.#raiseLate(awaited), again).unref()
    }
  }

  /** After a turn: raises what must be known of what failed in it, and ends what is over. */
  async settle(versions: NamedVersions, failures: readonly PreauError[]): Promise<void> {
    await this.#end(versions)
    const damaged = new Map(
      failures.flatMap((error): [string, PreauError][] => {
        const { name } = error.params
        const isDamaged = error.code === 'PREAU_SHARED_FILE_DAMAGED'
        return isDamaged && typeof name === 'string' ? [[name, error]] : []
      }),
    )
    const { store, clock, machine } = this.#options
    for (const [subject, error] of damaged) {
      if (!this.#suspects.has(subject)) continue
      const about = { kind: 'shared-file-damaged', subject, machine } as const
      await raiseAlarm(store, { ...about, detail: causeOf(error), at: clock() })
    }
    this.#suspects = new Set(damaged.keys())
  }

  /** Ends those of this machine whose file is here by now, and those of any machine whose file nothing names any more. */
  async #end(versions: NamedVersions): Promise<void> {
    const { store, dataDir, machine, clock } = this.#options
    const named = namesIn(versions)
    const alarms = await store.list('alarm', { limit: MAX_ALARMS })
    const over = alarms.filter(({ body: { kind, subject, machine: whose } }) => {
      if (!ABOUT_FILES.has(kind)) return false
      if (!named.has(subject.split('/')[0] ?? '')) return true
      // A damaged index is on the disk, too: who opens it says when it is whole.
      const mayBeOver = kind !== 'index-damaged' && whose === machine
      return mayBeOver && existsSync(join(listsFolder(dataDir), subject))
    })
    await endAlarms(store, over, clock())
  }

  close(): void {
    clearTimeout(this.#awaited?.timer)
    this.#awaited = undefined
  }
}
