/**
 * Finds the processes that hang. Time is counted in turns of the supervisor's own timer: where all of us stood still (a
 * stopped group, a suspended machine, a starved processor) the turns did too, and nobody is blamed for it.
 */

/** Who is asked. */
export interface Pulse {
  /** Asks for a sign of life; `beat` is to be called when it comes. */
  ask(): void
  onSilent(): void
}

interface Patient {
  readonly pulse: Pulse
  /** Turns since it was asked without an answer; undefined: nothing is owed. */
  turns: number | undefined
  hasAnswered: boolean
}

/** A silence is told after this many turns, that is, between this and one more. */
const TURNS = 5
/** Before its first answer a process may still be busy with its own start: it writes down what it has compiled. */
const FIRST_TURNS = 6 * TURNS
/** A turn that comes so late was not ours to count: it is forgiven to everybody. */
const LATE = 1.5

export class Heartbeat {
  readonly #patients = new Map<Pulse, Patient>()
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  #turnMs = 0
  #lastAt = 0

  /** `now`: a monotonic clock, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** `timeoutMs`: how long a process may be silent; 0: for ever. */
  start(timeoutMs: number): void {
    this.stop()
    if (timeoutMs === 0) return
    this.#turnMs = timeoutMs / TURNS
    this.#lastAt = this.#now()
    this.#timer = setInterval(() => this.turn(), this.#turnMs)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  watch(pulse: Pulse): void {
    this.#patients.set(pulse, { pulse, turns: undefined, hasAnswered: false })
  }

  forget(pulse: Pulse): void {
    this.#patients.delete(pulse)
  }

  beat(pulse: Pulse): void {
    const patient = this.#patients.get(pulse)
    if (patient === undefined) return
    patient.turns = undefined
    patient.hasAnswered = true
  }

  /** Called by the timer; one question at a time is under way to each. */
  turn(): void {
    const now = this.#now()
    const isLate = now - this.#lastAt > this.#turnMs * LATE
    this.#lastAt = now
    for (const patient of this.#patients.values()) {
      if (patient.turns === undefined) {
        patient.turns = 0
        patient.pulse.ask()
      } else if (isLate) patient.turns = 0
      else if (++patient.turns >= (patient.hasAnswered ? TURNS : FIRST_TURNS)) {
        this.forget(patient.pulse)
        patient.pulse.onSilent()
      }
    }
  }
}
