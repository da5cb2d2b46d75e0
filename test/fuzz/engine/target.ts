/** What is fuzzed: how its inputs are made, what must hold for each, and what of it is measured. */
import type { Random } from './random.ts'

/** Where a target puts its files and what is to be undone at its end. */
export interface Scope {
  testdir(): string
  teardown(end: () => unknown): void
}

export interface FuzzTarget {
  readonly name: string
  /** Inputs of the run in `npm test`: a second or two. */
  readonly bounded: number
  open(scope: Scope): Promise<Opened>
}

export interface Opened {
  /** Inputs that are tried together, and between which health is asked for. */
  readonly batch: number
  make(random: Random): Buffer
  /** Throws, saying which promise was broken, when one of the inputs broke one. */
  attempt(inputs: readonly Buffer[]): Promise<void>
  /** Memory and descriptors of the process under test. */
  measure(): Measure
}

export interface Measure {
  readonly memoryBytes: number
  readonly descriptors: number
}

/** Throws unless a promise holds. */
export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what)
}
