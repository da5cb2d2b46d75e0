/**
 * Origins that wait because a client takes their answer slowly: what they do not say meanwhile is no silence of theirs.
 * A client may take megabytes out of the buffers of the system before anything more is asked of its origin.
 */
import type { Socket } from 'node:net'

const HELD = Symbol('held back')
type Held = Socket & { [HELD]?: { isHeld: boolean; at: number } }

/** Nothing more is read from it for now. */
export function holdBack(socket: Held): void {
  socket[HELD] = { isHeld: true, at: performance.now() }
}

/** It may go on. */
export function release(socket: Held): void {
  const held = socket[HELD]
  if (held !== undefined) [held.isHeld, held.at] = [false, performance.now()]
}

/** Since when it is held back, or may go on again, of `performance.now()`; undefined: never was. */
export function heldBack(
  socket: Held,
): { readonly isHeld: boolean; readonly at: number } | undefined {
  return socket[HELD]
}
