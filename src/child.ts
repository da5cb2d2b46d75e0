/** The entry of a child process: starts the part that the supervisor names, answers, and stops when told. */
import { enableCompileCache, flushCompileCache } from 'node:module'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { join } from 'node:path'
import pino, { type Logger } from 'pino'
import { Asking } from './asking.ts'
import { setCommandName } from './command-name.ts'
import { causeOf, PreauError } from './errors.ts'
import type { Gather, Running } from './main/running.ts'
import type { FromChild, Start, ToChild } from './messages.ts'
import type { Sample } from './metrics.ts'
import { serveOn } from './succession/serve-on.ts'

/** The supervisor itself waits a second for the workers. */
const GATHERING_MS = 2_000
/** Its last word must not keep a child that has drained. */
const LAST_WORD_MS = 1_000

/** `send` resolves when the message has left. */
function runAsChild(send: (message: FromChild) => Promise<void>): void {
  let running: Promise<Running> | undefined
  let isStopping = false
  let onAlone = endAtOnce
  const ask = (): void => void send({ type: 'ask-metrics' })
  const gathering = new Asking<readonly Sample[]>(ask, GATHERING_MS)
  const measureLag = watchLag()
  const tell = async (): Promise<void> => {
    const samples = await (await running)?.readMetrics?.()
    if (samples !== undefined) await send({ type: 'metrics', samples })
  }
  const stop = async (withinMs: number): Promise<void> => {
    isStopping = true
    const stopped = (await running?.catch(() => undefined))?.stop(withinMs)
    void send({ type: 'left' })
    await stopped
    // What ended while it drained is counted too.
    setTimeout(() => process.exit(0), LAST_WORD_MS)
    await tell().catch(() => undefined)
    process.exit(0)
  }
  const start = (message: Start): void => {
    const { role, config, command } = message
    if (command !== undefined) setCommandName(command)
    // The screen of the start says what went well; the log says what did not.
    const logger = pino({ level: 'warn', base: { role, pid: process.pid } }, pino.destination(2))
    endOnDefect(logger)
    running = run(message, logger, async () => (process.connected ? gathering.ask() : undefined))
    let port: number | undefined
    running.then(
      ({ address }) => {
        port = address.port
        void send({ type: 'ready', port })
        flushCompileCache()
      },
      error => void send(failureOf(error)),
    )
    onAlone = () => {
      if (isStopping) return
      // Who does not serve yet is no loss.
      if (port === undefined) void stop(0)
      else serveOn({ self: { role, port, pid: process.pid }, config, logger, stop })
    }
  }
  process.on('message', (message: ToChild) => {
    switch (message.type) {
      case 'start':
        return start(message)
      case 'stop':
        return void stop(message.drainMs)
      case 'ping':
        return void send({ type: 'pong', lagMs: measureLag() })
      case 'tell-metrics':
        // A worker that cannot tell is shown as silent, and goes on serving.
        return void tell().catch(() => undefined)
      case 'gathered-metrics':
        return gathering.answer(message.samples)
      default:
        // What a newer supervisor may say beyond that is not for us.
        return message satisfies never
    }
  })
  // The supervisor has gone: nobody restarts us, or tells us to stop, until another one comes.
  process.on('disconnect', () => onAlone())
  // Ctrl-C and the end of a terminal reach the whole group; the supervisor decides when we stop, while there is one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
}

const endAtOnce = (): void => process.exit(0)

/** Nothing is known of the state behind an error that nobody caught: this process ends, and only its own connections. */
function endOnDefect(logger: Logger): void {
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'a defect ends this process')
    process.exit(1)
  })
}

/** Answers the longest turn of the event loop since the last call, in milliseconds. */
function watchLag(): () => number {
  const turns = monitorEventLoopDelay({ samplePerIteration: true })
  turns.enable()
  return () => {
    const { max, count } = turns
    turns.reset()
    return count === 0 ? 0 : max / 1e6
  }
}

/** Loads what this part needs and nothing else; compiled code is kept, so that a restart after a crash is quick. */
async function run(start: Start, logger: Logger, gather: Gather): Promise<Running> {
  const { role, config, fd } = start
  const { host, port } = config[role]
  const at = fd === undefined ? { host, port } : { fd }
  enableCompileCache(join(config.dataDir, 'cache'))
  if (role === 'proxy') {
    const { startProxy } = await import('./main/proxy-process.ts')
    return startProxy(config, logger, at)
  }
  const { startAdmin } = await import('./main/admin-process.ts')
  return startAdmin(config, logger, at, gather)
}

function failureOf(error: unknown): FromChild {
  const message = causeOf(error)
  return error instanceof PreauError
    ? { type: 'failed', message, code: error.code, params: error.params }
    : { type: 'failed', message }
}

runAsChild(
  message =>
    new Promise(resolve => {
      // A supervisor that died meanwhile hears nothing any more.
      if (process.connected) process.send?.(message, () => resolve())
      else resolve()
    }),
)
