/** `preau start`: installs what is missing, starts everything, says how to begin, and stops cleanly when told. */
import { join } from 'node:path'
import pino from 'pino'
import { createSetupLink } from '../admin/setup-link.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled } from '../install.ts'
import { authorityDir, installAuthority } from '../install-authority.ts'
import { openStore } from '../store/open-store.ts'
import { supervise, type Supervisor } from '../supervisor.ts'
import { shorten, table, type Terminal } from './terminal.ts'

/** Runs until SIGTERM or Ctrl-C; resolves when all processes have ended. */
export async function start(config: Config, terminal: Terminal): Promise<void> {
  let supervisor: Supervisor | undefined
  // Listened to from the very beginning: a start that is stopped half-way leaves no process behind.
  const stopped = stopSignal(() => void supervisor?.stop())
  terminal.progress(terminal.t('start.starting'))
  await prepare(config)
  const logger = pino({ base: { role: 'supervisor', pid: process.pid } }, pino.destination(2))
  let token: string | undefined
  try {
    supervisor = await supervise(config, logger)
    token = await makeSetupLink(config)
  } catch (error) {
    terminal.progress('')
    await supervisor?.stop()
    refuseStart(error, config, terminal)
  }
  terminal.progress('')
  printScreen(supervisor, config, token, terminal)
  await stopped
  if (terminal.isTty) terminal.print(`\n${terminal.t('start.stopping')}`)
  await supervisor.stop()
}

async function prepare(config: Config): Promise<void> {
  await withInstalled(config, ({ store }) => installAuthority(config, store, Date.now()))
}

/** Only once this start has succeeded: nobody sees the link of one that has not. */
async function makeSetupLink(config: Config): Promise<string | undefined> {
  const store = await openStore(config)
  try {
    return (await createSetupLink(store, Date.now()))?.token
  } finally {
    await store.close()
  }
}

function refuseStart(error: unknown, { proxy, admin }: Config, { t }: Terminal): never {
  const message = error instanceof Error ? error.message : String(error)
  const port = Number(/EADDRINUSE.*:(\d+)$/.exec(message)?.[1])
  if (!/^(?:listen|getaddrinfo) E/.test(message)) throw error
  if (Number.isNaN(port)) {
    throw new PreauError('PREAU_USAGE', { detail: t('start.cannotListen', { detail: message }) })
  }
  const [section, key] = port === proxy.port ? [proxy, 'proxy.port'] : [admin, 'admin.port']
  throw new PreauError('PREAU_USAGE', {
    detail: t('start.already', { port, host: section.host, key }),
  })
}

function printScreen(
  { proxyAddress, adminAddress }: Supervisor,
  config: Config,
  token: string | undefined,
  terminal: Terminal,
): void {
  const { t, paint, print } = terminal
  const proxy = `${urlHost(config.proxy.host)}:${proxyAddress.port}`
  const admin = `http://${urlHost(config.admin.host)}:${adminAddress.port}`
  const ca = shorten(join(authorityDir(config), 'ca.pem'))
  const rows: [string, string][] = [
    [t('start.proxy'), proxy],
    [t('start.admin'), `${admin}/`],
    ...(token === undefined
      ? []
      : [[t('start.setup'), `${admin}/setup?token=${token}`] satisfies [string, string]]),
    [t('start.ca'), ca],
    [t('start.data'), shorten(config.dataDir)],
    [t('start.try'), `curl -x http://${proxy} --cacert ${ca} https://www.jeux.fr/`],
    [t('start.tryChromium'), `chromium --proxy-server=http://${proxy}`],
  ]
  print('')
  print(`  ${paint('bold', t('start.ready'))}`)
  print('')
  for (const line of table(rows)) print(`  ${line}`)
  print('')
  if (terminal.isTty) print(`  ${paint('dim', t('start.stop'))}`)
}

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Resolves at the first SIGTERM or SIGINT; calls `again` at each further one. */
function stopSignal(again: () => void): Promise<void> {
  return new Promise(resolve => {
    let isStopping = false
    const onSignal = (): void => {
      if (isStopping) again()
      isStopping = true
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
