/**
 * Tells the log of what comes in floods: the first of each kind at once, then one line a minute with how often, and one when
 * it is over. An outage, or somebody who asks for it, must not become a flood of lines.
 */
import { causeOf, PreauError } from './errors.ts'

const EVERY_MS = 60_000
/** Kinds may be messages of errors: those beyond are counted together. */
const MAX_KINDS = 20
const MAX_KIND_CHARS = 200
const OTHERS = 'others'

export interface FaultLogOptions {
  /** false: nobody is told. */
  readonly logger: Record<'warn' | 'error', (fields: object, text: string) => void> | false
  readonly level: 'warn' | 'error'
  /** What happens; each line begins with it. */
  readonly text: string
}

type Counts = Map<string, number>

export class FaultLog {
  readonly #options: FaultLogOptions
  readonly #all: Counts = new Map()
  /** Since the last line. */
  readonly #untold: Counts = new Map()
  #firstAt = 0
  #lastAt = 0
  #hasCome = false
  #hasRepeated = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: FaultLogOptions) {
    this.#options = options
  }

  noteError(error: unknown): void {
    const kind = error instanceof PreauError ? error.code : causeOf(error)
    this.note(kind.slice(0, MAX_KIND_CHARS), 1, { err: error })
  }

  /** `fields` are told with the first of its kind. */
  note(kind: string, times = 1, fields: object = {}): void {
    this.#lastAt = performance.now()
    if (this.#all.size === 0) this.#firstAt = this.#lastAt
    const known = this.#all.has(kind) || this.#all.size < MAX_KINDS ? kind : OTHERS
    const isFirst = !this.#all.has(known)
    add(this.#all, known, times)
    if (isFirst) this.#tell('', { ...fields, times: { [known]: times } })
    else {
      add(this.#untold, known, times)
      this.#hasRepeated = true
    }
    this.#hasCome = true
    this.#timer ??= setInterval(() => this.#look(), EVERY_MS).unref()
  }

  close(): void {
    this.#end(', in all')
  }

  #look(): void {
    if (!this.#hasCome) this.#end(': it is over')
    else if (this.#untold.size > 0) this.#tell(', again', { times: timesOf(this.#untold) })
    this.#hasCome = false
    this.#untold.clear()
  }

  /** What came once has been told. */
  #end(how: string): void {
    const seconds = Math.ceil((this.#lastAt - this.#firstAt) / 1_000)
    if (this.#hasRepeated) this.#tell(how, { times: timesOf(this.#all), seconds })
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#hasRepeated = false
    this.#all.clear()
    this.#untold.clear()
  }

  #tell(how: string, fields: object): void {
    const { logger, level, text } = this.#options
    if (logger !== false) logger[level](fields, `${text}${how}`)
  }
}

const timesOf = (counts: Counts): Record<string, number> => Object.fromEntries(counts)

function add(counts: Counts, kind: string, times: number): void {
  counts.set(kind, (counts.get(kind) ?? 0) + times)
}
