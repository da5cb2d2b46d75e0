/** The entry of a child process: starts the part that the supervisor names, answers, and stops when told. */
import { enableCompileCache, flushCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import pino from 'pino'
import { Asking } from './asking.ts'
import type { Config } from './config.ts'
import { causeOf, PreauError } from './errors.ts'
import type { Gather, Running } from './main/running.ts'
import type { Sample } from './metrics.ts'

/** Which part to run. `proxyAddress`: where the proxy really listens, for the help texts of the admin app. */
export type Start =
  | { readonly type: 'start'; readonly role: 'proxy'; readonly config: Config }
  | {
      readonly type: 'start'
      readonly role: 'admin'
      readonly config: Config
      readonly proxyAddress: AddressInfo
    }
/** What the supervisor sends to a child, and what a child answers. */
export type ToChild =
  | Start
  | { readonly type: 'stop' }
  /** To a worker, which answers `metrics`. */
  | { readonly type: 'tell-metrics' }
  /** To the admin process: the answer to its `ask-metrics`. */
  | { readonly type: 'gathered-metrics'; readonly samples: readonly Sample[] }
export type FromChild =
  | { readonly type: 'ready'; readonly address: AddressInfo }
  | { readonly type: 'metrics'; readonly samples: readonly Sample[] }
  | { readonly type: 'ask-metrics' }
  | {
      readonly type: 'failed'
      readonly message: string
      readonly code?: string
      readonly params?: PreauError['params']
    }

/** The supervisor itself waits a second for the workers. */
const GATHERING_MS = 2_000

function runAsChild(send: (message: FromChild) => void): void {
  let running: Promise<Running> | undefined
  const gathering = new Asking<readonly Sample[]>(() => send({ type: 'ask-metrics' }), GATHERING_MS)
  const stop = async (): Promise<void> => {
    await (await running?.catch(() => undefined))?.stop()
    process.exit(0)
  }
  const start = (message: Start): void => {
    running = run(message, () => gathering.ask())
    running.then(
      ({ address }) => {
        send({ type: 'ready', address })
        flushCompileCache()
      },
      error => send(failureOf(error)),
    )
  }
  const tell = async (): Promise<void> => {
    const samples = await (await running)?.readMetrics?.()
    if (samples !== undefined) send({ type: 'metrics', samples })
  }
  process.on('message', (message: ToChild) => {
    switch (message.type) {
      case 'start':
        return start(message)
      case 'stop':
        return void stop()
      case 'tell-metrics':
        // A worker that cannot tell is shown as silent, and goes on serving.
        return void tell().catch(() => undefined)
      case 'gathered-metrics':
        return gathering.answer(message.samples)
      default:
        throw new TypeError(`not a message: ${String(message satisfies never)}`)
    }
  })
  // The supervisor is gone: nothing would restart or stop us.
  process.on('disconnect', () => void stop())
  // Ctrl-C reaches the whole group; the supervisor decides when we stop.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => undefined)
}

/** Loads what this part needs and nothing else; compiled code is kept, so that a restart after a crash is quick. */
async function run(start: Start, gather: Gather): Promise<Running> {
  const { role, config } = start
  // The screen of the start says what went well; the log says what did not.
  const logger = pino({ level: 'warn', base: { role, pid: process.pid } }, pino.destination(2))
  enableCompileCache(join(config.dataDir, 'cache'))
  if (role === 'proxy') {
    const { startProxy } = await import('./main/proxy-process.ts')
    return startProxy(config, logger)
  }
  const { startAdmin } = await import('./main/admin-process.ts')
  return startAdmin(config, logger, start.proxyAddress, gather)
}

function failureOf(error: unknown): FromChild {
  const message = causeOf(error)
  return error instanceof PreauError
    ? { type: 'failed', message, code: error.code, params: error.params }
    : { type: 'failed', message }
}

runAsChild(message => {
  // A supervisor that died meanwhile hears nothing any more; `disconnect` ends us.
  if (process.connected) process.send?.(message)
})
