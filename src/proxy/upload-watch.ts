/**
 * Bodies of plain requests on their way up: one that makes progress may take as long as it likes. One timer looks at all of
 * them now and then, and rests when there is none.
 */
import type { IncomingMessage } from 'node:http'
import { Roster, type Seated } from './roster.ts'

const LOOKS_PER_TIMEOUT = 8
const MAX_TICK_MS = 5_000
const MIN_TICK_MS = 10

interface Upload extends Seated {
  readonly request: IncomingMessage
  /** What the connection had brought when the body began. */
  readonly bytesBefore: number
  /** What it had brought at the last look. */
  bytes: number
  quietMs: number
  /** All the time that the client could have used. */
  spentMs: number
}

export interface UploadLimits {
  /** Silence of a client that could send; 0: nothing is watched. */
  readonly timeoutMs: number
  /** Lowest pace on average, of what lasts longer than `timeoutMs`; 0: any. */
  readonly bytesPerSecond: number
}

type OnLate = (
  request: IncomingMessage,
  limit: 'requestTimeoutMs' | 'requestBytesPerSecond',
) => void

export class UploadWatch {
  readonly #uploads = new Roster<Upload>()
  readonly #limits: UploadLimits
  readonly #onLate: OnLate
  readonly #tickMs: number
  #timer: NodeJS.Timeout | undefined

  /** Lateness is noticed up to an eighth of `timeoutMs` later. */
  constructor(limits: UploadLimits, onLate: OnLate) {
    this.#limits = limits
    this.#onLate = onLate
    this.#tickMs = Math.min(
      MAX_TICK_MS,
      Math.max(MIN_TICK_MS, limits.timeoutMs / LOOKS_PER_TIMEOUT),
    )
  }

  /** From the head of a request until its body is whole, or late. */
  watch(request: IncomingMessage): void {
    if (this.#limits.timeoutMs === 0) return
    const bytes = request.socket.bytesRead
    const upload = { request, bytesBefore: bytes, bytes, quietMs: 0, spentMs: 0, seat: -1 }
    this.#uploads.add(upload)
    this.#timer ??= setInterval(this.#look, this.#tickMs).unref()
  }

  readonly #look = (): void => {
    this.#uploads.forEach(upload => {
      const { request } = upload
      const isOver = request.complete || request.socket.destroyed
      const limit = isOver ? undefined : this.#reached(upload)
      if (!isOver && limit === undefined) return
      this.#uploads.delete(upload)
      if (limit !== undefined) this.#onLate(request, limit)
    })
    if (this.#uploads.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #reached(upload: Upload): Parameters<OnLate>[1] | undefined {
    const { timeoutMs, bytesPerSecond } = this.#limits
    const { socket } = upload.request
    // An origin that takes nothing more makes the client wait.
    if (socket.isPaused()) return undefined
    const bytes = socket.bytesRead
    upload.quietMs = bytes > upload.bytes ? 0 : upload.quietMs + this.#tickMs
    upload.bytes = bytes
    upload.spentMs += this.#tickMs
    if (upload.quietMs >= timeoutMs) return 'requestTimeoutMs'
    const dueBytes = ((upload.spentMs - timeoutMs) * bytesPerSecond) / 1_000
    return bytes - upload.bytesBefore < dueBytes ? 'requestBytesPerSecond' : undefined
  }
}
