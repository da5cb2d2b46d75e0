/** A child whose supervisor has gone: it serves on until a successor has it drain, a signal ends it, or nobody has come in time. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import type { Hello } from './lines.ts'
import { canBeSucceeded } from './meeting-place.ts'
import { seekSuccessor } from './seek-successor.ts'

export interface Alone {
  readonly self: Hello
  readonly config: Pick<Config, 'dataDir' | 'limits'>
  readonly logger: Pick<Logger, 'warn'>
  /** A later call may shorten the time. */
  readonly stop: (drainMs: number) => unknown
}

/** Each accepts what waits; the last ones have nothing else to do. */
const LAST_TURNS = 3

export function serveOn({ self, config: { dataDir, limits }, logger, stop }: Alone): void {
  const { drainTimeoutMs, orphanTimeoutMs } = limits
  const end = (): unknown => stop(drainTimeoutMs)
  if (orphanTimeoutMs === 0 || !canBeSucceeded) return void end()
  logger.warn({ orphanTimeoutMs }, 'the supervisor has gone: serving on until another one comes')
  const timer = setTimeout(end, orphanTimeoutMs)
  seekSuccessor({
    dataDir,
    self,
    async onOrder({ drainMs }) {
      clearTimeout(timer)
      // Nobody else takes from our socket: who has connected and was not accepted before it closes is reset.
      for (let turn = 0; turn < LAST_TURNS; turn++) await nextTurn()
      stop(drainMs)
    },
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
}
