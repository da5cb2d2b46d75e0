/**
 * Connections on which nothing moves: one timer looks at all of them now and then. A timer of each would be set anew by
 * every read and write, and would wake the process for nobody.
 */
import type { Socket } from 'node:net'
import { Roster, type Seated } from './roster.ts'

const LOOKS_PER_TIMEOUT = 8
const MAX_TICK_MS = 15_000
const MIN_TICK_MS = 10

/** One connection that is watched; the numbers are kept by the watch. */
export interface Watched extends Seated {
  readonly socket: Socket
  bytes: number
  quietMs: number
}

export class SilenceWatch {
  readonly #watched = new Roster<Watched>()
  readonly #timeoutMs: number
  readonly #tickMs: number
  readonly #timer: NodeJS.Timeout | undefined
  readonly #onTimeout: () => void

  /**
   * `timeoutMs` 0: silence is never broken. It is noticed up to an eighth of that later. `onTimeout` counts those that
   * were silent for so long.
   */
  constructor(timeoutMs: number, onTimeout = (): void => undefined) {
    this.#timeoutMs = timeoutMs
    this.#onTimeout = onTimeout
    this.#tickMs = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, timeoutMs / LOOKS_PER_TIMEOUT))
    if (timeoutMs > 0) this.#timer = setInterval(() => this.#look(), this.#tickMs).unref()
  }

  /** Destroys the socket once nothing has been read or written for the whole time. Call `forget` when it closes. */
  watch(watched: Watched): void {
    if (this.#timeoutMs > 0) this.#watched.add(watched)
  }

  /** Does nothing for what is not watched. */
  forget(watched: Watched): void {
    this.#watched.delete(watched)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    this.#watched.forEach(watched => {
      const { socket } = watched
      const bytes = socket.bytesRead + socket.bytesWritten - socket.writableLength
      if (bytes === watched.bytes) watched.quietMs += this.#tickMs
      else [watched.bytes, watched.quietMs] = [bytes, 0]
      if (watched.quietMs < this.#timeoutMs) return
      this.#watched.delete(watched)
      this.#onTimeout()
      socket.destroy()
    })
  }
}
