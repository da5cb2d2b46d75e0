/**
 * What happens on a socket goes to whoever holds it at the moment. A connection changes hands three times (arrival, dial,
 * tunnel): with listeners and closures of each, they cost more than the verdict.
 */
import type { Socket } from 'node:net'

export interface Holder {
  onData(chunk: Buffer): void
  /** The other side has said all. */
  onEnd(): void
  /** What was written has gone. */
  onDrain(): void
  /** The last call. `isBroken`: by an error, not by an end. */
  onClose(isBroken: boolean): void
}

const HOLDER = Symbol('holder')
/** null: it was given away. */
type Held = Socket & { [HOLDER]?: Holder | null }

/** From now on `holder` hears what happens. `hasData` false: its bytes do not come through the stream (`pump.ts`). */
export function hold(socket: Socket, holder: Holder, hasData = true): void {
  const held: Held = socket
  const before = held[HOLDER]
  held[HOLDER] = holder
  if (before === undefined) socket.on('error', onError)
  if (before) return
  if (hasData) socket.on('data', onData)
  socket.on('end', onEnd).on('drain', onDrain).on('close', onClose)
}

/** Gives it away to something that sets listeners of its own; only its errors are still caught. */
export function release(socket: Socket): void {
  const held: Held = socket
  held[HOLDER] = null
  socket.off('data', onData).off('end', onEnd).off('drain', onDrain).off('close', onClose)
}

function onData(this: Held, chunk: Buffer): void {
  this[HOLDER]?.onData(chunk)
}

function onEnd(this: Held): void {
  this[HOLDER]?.onEnd()
}

function onDrain(this: Held): void {
  this[HOLDER]?.onDrain()
}

function onClose(this: Held, isBroken: boolean): void {
  const holder = this[HOLDER]
  // A closed socket often outlives its youth (V8 moves it to the old generation): what hung on it must not.
  this[HOLDER] = null
  holder?.onClose(isBroken)
}

// A socket without this listener takes the process down (proxy-chain#53).
function onError(this: Held): void {
  this.destroy()
}
