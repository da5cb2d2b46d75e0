/** How long a download may take: in all, and without a word from the other side. */
import { saysWhy } from './download-failure.ts'

export interface Patience {
  /** Aborted with the reason, when it has run out. */
  readonly signal: AbortSignal
  /** The other side said something. */
  readonly touch: () => void
  readonly end: () => void
}

export function startPatience(timeoutMs: number, silenceMs: number): Patience {
  const controller = new AbortController()
  const whole = setTimeout(
    () => controller.abort(saysWhy('tooSlow', { seconds: timeoutMs / 1_000 })),
    timeoutMs,
  )
  const silence = setTimeout(
    () => controller.abort(saysWhy('silent', { seconds: silenceMs / 1_000 })),
    silenceMs,
  )
  return {
    signal: controller.signal,
    touch: () => void silence.refresh(),
    end() {
      clearTimeout(whole)
      clearTimeout(silence)
    },
  }
}
