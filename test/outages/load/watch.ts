/** What the load saw: how many verdicts, which were wrong, what failed and why, how long they took. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Trouble } from './ask.ts'

export interface Fault {
  readonly at: number
  /** `wrong`: another verdict than the policy's; `failed`: no answer, or not that of the origin; `bytes`: a tunnel broke or lied. */
  readonly kind: 'wrong' | 'failed' | 'bytes' | 'click' | 'decision'
  readonly what: string
  /** What was being done to Préau. */
  readonly during: string
}

/** How it looks when nobody listens, or when the queue of a listener dies with it. */
const NOBODY = new Set(['ECONNREFUSED', 'ECONNRESET', 'CLOSED'])
const MAX_FAULTS = 500
const KEPT_CUTS_MS = 20_000

export class Watch {
  readonly faults: Fault[] = []
  faultCount = 0
  verdicts = 0
  /** Answers that died with the process that had accepted their connection. */
  cut = 0
  /** Clients that found nobody while a listener was dead, where the scenario kills listeners. */
  unserved = 0
  /** Microseconds, connecting included: while all is well, and while something is done to Préau. */
  readonly calm: RecordableHistogram = createHistogram()
  readonly disturbed: RecordableHistogram = createHistogram()
  /** Milliseconds from the acknowledged decision to the page that is open, or closed again. */
  readonly effect: RecordableHistogram = createHistogram()
  #during = ''
  #mayBeAway = false
  #calmSince = 0
  readonly #cuts = new Map<string, number>()

  get during(): string {
    return this.#during
  }

  /** Whether a client may find nobody now. */
  get mayBeAway(): boolean {
    return this.#mayBeAway
  }

  /** Names what is done to Préau while `act` runs. `mayBeAway`: some listener dies, so that a client may find nobody. */
  async disturb<T>(what: string, act: () => Promise<T>, mayBeAway = false): Promise<T> {
    const outer = [this.#during, this.#mayBeAway] as const
    this.#during = what
    this.#mayBeAway = mayBeAway
    try {
      return await act()
    } finally {
      ;[this.#during, this.#mayBeAway] = outer
      this.#calmSince = performance.now()
    }
  }

  /** Whether all has been well for this long. */
  isCalmFor(ms: number): boolean {
    return this.#during === '' && performance.now() - this.#calmSince > ms
  }

  /** These connections (`ip:port`) die with their process; whoever sits on one may say so. */
  expectCuts(froms: Iterable<string>): void {
    const now = performance.now()
    for (const [from, at] of this.#cuts) if (now - at > KEPT_CUTS_MS) this.#cuts.delete(from)
    for (const from of froms) this.#cuts.set(from, now)
  }

  isExpected(from: string): boolean {
    return this.#cuts.has(from)
  }

  verdict(ms: number): void {
    this.verdicts += 1
    const histogram = this.#during === '' ? this.calm : this.disturbed
    histogram.record(Math.max(1, Math.round(ms * 1_000)))
  }

  fault(kind: Fault['kind'], what: string): void {
    this.faultCount += 1
    if (this.faults.length < MAX_FAULTS)
      this.faults.push({ at: Date.now(), kind, what, during: this.#during })
  }

  /** An answer that never came: with its process, or for no good reason. */
  unanswered(kind: Fault['kind'], what: string, { code, from, ms }: Trouble): void {
    if (this.isExpected(from)) this.cut += 1
    else if (this.#during !== '' && this.#mayBeAway && NOBODY.has(code)) this.unserved += 1
    else this.fault(kind, `${what}: ${code} after ${Math.round(ms)} ms (${from})`)
  }

  count(kind: Fault['kind']): number {
    return this.faults.filter(fault => fault.kind === kind).length
  }
}
