/**
 * Which parents may be used now. One that fails is left out for a while; then it is tried by a connection of our own where
 * it could not be reached, and by the next request where it could. It is called well once it has answered a request.
 */
import type { Parent } from './ways.ts'

/** Why a parent is left out. `silent`: it took requests and said nothing, several times in a row. */
export type ParentFault = 'unreachable' | 'broken' | 'silent' | 'credentials'

export interface ParentHealthOptions {
  readonly parents: readonly Parent[]
  readonly retryAfterMs: number
  /** Tries whether it can be reached at all. */
  readonly probe: (parent: Parent, onEnd: (isReached: boolean) => void) => void
  /** `fault` undefined: it is well again. */
  readonly onChange: (parent: Parent, fault: ParentFault | undefined) => void
}

interface State {
  /** Out: not used. On trial: used again, and out at its first fault. */
  standing: 'well' | 'out' | 'trial'
  silences: number
  timer: NodeJS.Timeout | undefined
}

/** An origin may be as slow as that for one request, hardly for so many in a row and no other. */
const SILENCES = 3

export class ParentHealth {
  readonly #options: ParentHealthOptions
  readonly #states: ReadonlyMap<string, State>

  constructor(options: ParentHealthOptions) {
    this.#options = options
    this.#states = new Map(
      options.parents.map(({ name }): [string, State] => [
        name,
        { standing: 'well', silences: 0, timer: undefined },
      ]),
    )
  }

  mayUse(parent: Parent): boolean {
    return this.#states.get(parent.name)?.standing !== 'out'
  }

  /** It has answered. */
  reached(parent: Parent): void {
    const state = this.#states.get(parent.name)
    if (state === undefined) return
    state.silences = 0
    // An answer to what was asked before it failed says nothing of now.
    if (state.standing !== 'trial') return
    state.standing = 'well'
    this.#options.onChange(parent, undefined)
  }

  /** It said nothing in all the time that it had. */
  silent(parent: Parent): void {
    const state = this.#states.get(parent.name)
    if (state === undefined) return
    state.silences++
    if (state.silences >= SILENCES || state.standing === 'trial') this.failed(parent, 'silent')
  }

  failed(parent: Parent, fault: ParentFault): void {
    const state = this.#states.get(parent.name)
    if (state === undefined || state.standing === 'out') return
    if (state.standing === 'well') this.#options.onChange(parent, fault)
    state.standing = 'out'
    this.#wait(parent, state, fault)
  }

  /** Each by its name: whether it has shown that it is well. */
  get standings(): readonly { readonly name: string; readonly isWell: boolean }[] {
    return [...this.#states].map(([name, { standing }]) => ({ name, isWell: standing === 'well' }))
  }

  close(): void {
    for (const { timer } of this.#states.values()) clearTimeout(timer)
  }

  #wait(parent: Parent, state: State, fault: ParentFault): void {
    const { retryAfterMs, probe } = this.#options
    const readmit = (): void => {
      state.standing = 'trial'
      state.silences = 0
    }
    state.timer = setTimeout(() => {
      if (fault !== 'unreachable') readmit()
      else
        probe(parent, isReached => {
          if (isReached) readmit()
          else this.#wait(parent, state, fault)
        })
    }, retryAfterMs).unref()
  }
}
