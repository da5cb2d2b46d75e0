/**
 * Connections on which nothing moves: one timer looks at all of them now and then. A timer of each would be set anew by
 * every read and write, and would wake the process for nobody.
 */
import type { Socket } from 'node:net'

const LOOKS_PER_TIMEOUT = 8
const MAX_TICK_MS = 15_000
const MIN_TICK_MS = 10

interface Watched {
  readonly onSilence: () => void
  bytes: number
  quietMs: number
}

export class SilenceWatch {
  readonly #watched = new Map<Socket, Watched>()
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

  /** Calls `onSilence` once nothing has been read or written for the whole time. Call `forget` when it closes. */
  watch(socket: Socket, onSilence: () => void): void {
    if (this.#timeoutMs > 0) this.#watched.set(socket, { onSilence, bytes: 0, quietMs: 0 })
  }

  forget(socket: Socket): void {
    this.#watched.delete(socket)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    for (const [socket, watched] of this.#watched) {
      const bytes = socket.bytesRead + socket.bytesWritten - socket.writableLength
      if (bytes === watched.bytes) watched.quietMs += this.#tickMs
      else [watched.bytes, watched.quietMs] = [bytes, 0]
      if (watched.quietMs < this.#timeoutMs) continue
      this.#watched.delete(socket)
      this.#onTimeout()
      watched.onSilence()
    }
  }
}
