/**
 * What systemd is told (sd_notify(3)), through its own `systemd-notify`: Node has no datagram sockets of the Unix kind,
 * and the packages that do are native code or long unkept. Where nobody asked to be told, nothing is said.
 */
import { execFile } from 'node:child_process'
import type { Logger } from 'pino'

export interface ServiceManager {
  ready(): void
  reloading(): void
  stopping(): void
  /** Resolves when all has been said. */
  close(): Promise<void>
}

/** From the environment of the process (systemd.exec(5)). */
export interface ServiceEnvironment {
  /** NOTIFY_SOCKET is set. */
  readonly isToldTo: boolean
  /** WATCHDOG_USEC: we are ended where we say nothing for so long; undefined or 0: no watchdog. */
  readonly watchdogMs: number | undefined
}

const COMMAND = 'systemd-notify'
const PATIENCE_MS = 5_000

export function createServiceManager(
  { isToldTo, watchdogMs }: ServiceEnvironment,
  logger: Pick<Logger, 'error'>,
): ServiceManager {
  let last = Promise.resolve()
  let isMissing = false
  const say = (...words: readonly string[]): void => {
    if (!isToldTo) return
    // One after the other: what is said last counts.
    last = last
      .then(() => notify(words))
      .catch((error: unknown) => {
        if (!isMissing)
          logger.error({ err: error }, `systemd is not told: ${COMMAND} does not work`)
        isMissing = true
      })
  }
  const watchdog = watchdogMs ? setInterval(() => say('WATCHDOG=1'), watchdogMs / 2) : undefined
  return {
    ready: () => say('READY=1'),
    // Of the same clock as CLOCK_MONOTONIC, in microseconds: what `Type=notify-reload` compares.
    reloading: () => say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: () => say('STOPPING=1'),
    async close() {
      clearInterval(watchdog)
      await last
    },
  }
}

function notify(words: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(COMMAND, [...words], { timeout: PATIENCE_MS }, error =>
      error === null ? resolve() : reject(error),
    )
  })
}
