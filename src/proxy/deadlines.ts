/** What must happen in time, by the thousand: one timer looks at all of it now and then, and rests when nothing waits. */
import { Roster, type Seated } from './roster.ts'

const LOOKS_PER_TIMEOUT = 8
const MAX_TICK_MS = 1_000
const MIN_TICK_MS = 10

export interface Due extends Seated {
  /** When its time is up, of `performance.now()`. Set by `add`. */
  dueAt: number
  /** Its time is up; it is waited for no longer. */
  onLate(): void
}

export class Deadlines<Member extends Due = Due> {
  readonly #waiting = new Roster<Member>()
  readonly #tickMs: number
  #timer: NodeJS.Timeout | undefined

  /** `usualMs`: the time that is set, 0: none. It is noticed up to an eighth of that later, and a second at most. */
  constructor(usualMs: number) {
    this.#tickMs = Math.min(
      MAX_TICK_MS,
      Math.max(MIN_TICK_MS, (usualMs || Infinity) / LOOKS_PER_TIMEOUT),
    )
  }

  /** `timeoutMs` 0: no bound. */
  add(due: Member, timeoutMs: number): void {
    due.dueAt = timeoutMs === 0 ? Infinity : performance.now() + timeoutMs
    this.#waiting.add(due)
    if (this.#timer === undefined) this.#timer = setInterval(this.#look, this.#tickMs).unref()
  }

  /** It came in time. Does nothing for what does not wait. */
  delete(due: Member): void {
    this.#waiting.delete(due)
  }

  forEach(visit: (due: Member) => void): void {
    this.#waiting.forEach(visit)
  }

  readonly #look = (): void => {
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
      return
    }
    const now = performance.now()
    this.#waiting.forEach(due => {
      if (due.dueAt > now) return
      this.#waiting.delete(due)
      due.onLate()
    })
  }
}
