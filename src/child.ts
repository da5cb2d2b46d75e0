/** The entry of a child process: starts the part that the supervisor names, answers, and stops when told. */
import { enableCompileCache, flushCompileCache } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import pino from 'pino'
import type { Config } from './config.ts'
import { causeOf, PreauError } from './errors.ts'
import type { Running } from './main/running.ts'

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
export type ToChild = Start | { readonly type: 'stop' }
export type FromChild =
  | { readonly type: 'ready'; readonly address: AddressInfo }
  | {
      readonly type: 'failed'
      readonly message: string
      readonly code?: string
      readonly params?: PreauError['params']
    }

function runAsChild(send: (message: FromChild) => void): void {
  let running: Promise<Running> | undefined
  const stop = async (): Promise<void> => {
    await (await running?.catch(() => undefined))?.stop()
    process.exit(0)
  }
  process.on('message', (message: ToChild) => {
    if (message.type === 'stop') void stop()
    else {
      running = run(message)
      running.then(
        ({ address }) => {
          send({ type: 'ready', address })
          flushCompileCache()
        },
        error => send(failureOf(error)),
      )
    }
  })
  // The supervisor is gone: nothing would restart or stop us.
  process.on('disconnect', () => void stop())
  // Ctrl-C reaches the whole group; the supervisor decides when we stop.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => undefined)
}

/** Loads what this part needs and nothing else; compiled code is kept, so that a restart after a crash is quick. */
async function run(start: Start): Promise<Running> {
  const { role, config } = start
  // The screen of the start says what went well; the log says what did not.
  const logger = pino({ level: 'warn', base: { role, pid: process.pid } }, pino.destination(2))
  enableCompileCache(join(config.dataDir, 'cache'))
  if (role === 'proxy') {
    const { startProxy } = await import('./main/proxy-process.ts')
    return startProxy(config, logger)
  }
  const { startAdmin } = await import('./main/admin-process.ts')
  return startAdmin(config, logger, start.proxyAddress)
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
