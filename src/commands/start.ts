/** `preau start`: installs what is missing, starts everything, says how to begin, and does what signals say. */
import { join } from 'node:path'
import { isatty } from 'node:tty'
import pino from 'pino'
import { createSetupLink } from '../admin/setup-link.ts'
import { loadCatalogue } from '../categories/catalogue.ts'
import type { Config } from '../config.ts'
import { detailOf } from '../error-detail.ts'
import { PreauError } from '../errors.ts'
import { LANGUAGE_TAG } from '../i18n.ts'
import { withInstalled } from '../install.ts'
import { authorityDir, installAuthority } from '../install-authority.ts'
import { readLastState } from '../last-state/read.ts'
import { openStore } from '../store/open-store.ts'
import { createReload, type Reload } from '../supervision/reload.ts'
import { createServiceManager, type ServiceEnvironment } from '../supervision/service-manager.ts'
import { supervise, type Supervisor } from '../supervision/supervisor.ts'
import { shorten, table, type Terminal } from './terminal.ts'

/** From anywhere else the admin app is reached over TLS only. */
const LOOPBACK = /^(?:127\.|::1$|localhost$)/

/** What the command line knows and this must not look up. */
export interface StartOptions {
  /** Reads the configuration again, as it was read for this start. Throws what is wrong with it. */
  readonly readConfig: () => Config
  readonly service: ServiceEnvironment
}

/** Runs until SIGTERM or Ctrl-C; resolves when all processes have ended, or, at SIGUSR2, when they have been left to go on. */
export async function start(
  config: Config,
  terminal: Terminal,
  { readConfig, service }: StartOptions,
): Promise<void> {
  let supervisor: Supervisor | undefined
  let reload: (() => void) | undefined
  // Listened to from the very beginning: a start that is stopped half-way leaves no process behind.
  const signals = listenToSignals(terminal, {
    again: () => void supervisor?.stop(),
    reload: () => reload?.(),
  })
  terminal.progress(terminal.t('start.starting'))
  // `role` and `pid` in its lines are those of the process that a line tells of.
  const logger = pino({ base: { from: 'supervisor' } }, pino.destination(2))
  const manager = createServiceManager(service, logger)
  let token: string | undefined
  try {
    supervisor = await supervise(config, logger, () => prepareOrGoOn(config, terminal))
    token = await makeSetupLink(config).catch(ifStoreAnswers)
  } catch (error) {
    terminal.progress('')
    await supervisor?.stop()
    await manager.close()
    throw error
  }
  terminal.progress('')
  printScreen(supervisor, config, token, terminal)
  manager.ready()
  reload = createReload({
    supervisor,
    readConfig,
    onBegin: () => manager.reloading(),
    onEnd(result) {
      terminal.print(describeReload(result, terminal))
      manager.ready()
    },
  })
  if ((await signals.ended) === 'left') {
    terminal.print(terminal.t('start.left'))
    supervisor.leave()
    return manager.close()
  }
  if (terminal.isTty) terminal.print(`\n${terminal.t('start.stopping')}`)
  manager.stopping()
  await supervisor.stop()
  await manager.close()
}

/** One line: what came of a SIGHUP. */
function describeReload(reload: Reload, { t, locale }: Terminal): string {
  if (reload.outcome !== 'done') {
    const { error } = reload
    const detail = detailOf(error)[locale]
    return t(reload.outcome === 'refused' ? 'reload.refused' : 'reload.failed', { detail })
  }
  const { changed, waiting } = reload
  const done =
    changed.length === 0 ? t('reload.unchanged') : t('reload.changed', { keys: changed.join(', ') })
  if (waiting.length === 0) return done
  return `${done} ${t('reload.waiting', { keys: waiting.join(', ') })}`
}

/** A store that does not answer stops no filter where this machine knows its last state: that is said, and decided on. */
async function prepareOrGoOn(config: Config, terminal: Terminal): Promise<void> {
  try {
    await prepare(config, terminal)
  } catch (error) {
    if (!(error instanceof PreauError && error.code === 'PREAU_STORE_UNAVAILABLE')) throw error
    const { state } = await readLastState(config, loadCatalogue(), Date.now())
    if (state === undefined) throw error
    terminal.progress('')
    const { timeZone } = state.policy.body.city
    const of = new Date(state.at).toLocaleString(LANGUAGE_TAG[terminal.locale], {
      dateStyle: 'long',
      timeStyle: 'short',
      timeZone,
    })
    const detail = detailOf(error)[terminal.locale]
    terminal.print(terminal.t('start.lastState', { of, detail }))
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

async function prepare(config: Config, { t, progress }: Terminal): Promise<void> {
  const onProgress = (done: number, total: number): void =>
    progress(t('start.bringing', { done: megabytes(done), total: megabytes(total) }))
  await withInstalled(config, ({ store }) => installAuthority(config, store, Date.now()), {
    onProgress,
  })
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

/** The first account can wait for the store, the filter cannot. */
function ifStoreAnswers(error: unknown): undefined {
  if (!(error instanceof PreauError && error.code === 'PREAU_STORE_UNAVAILABLE')) throw error
}

function printScreen(
  { proxyPort, adminPort }: Supervisor,
  config: Config,
  token: string | undefined,
  terminal: Terminal,
): void {
  const { t, paint, print } = terminal
  const proxy = `${urlHost(config.proxy.host)}:${proxyPort}`
  const scheme = LOOPBACK.test(config.admin.host) ? 'http' : 'https'
  const admin = `${scheme}://${urlHost(config.admin.host)}:${adminPort}`
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

interface OnSignal {
  /** A further SIGTERM or SIGINT. */
  readonly again: () => void
  readonly reload: () => void
}

/** `ended` resolves at the first SIGTERM or SIGINT, or at a SIGUSR2. */
function listenToSignals(
  { isTty }: Terminal,
  { again, reload }: OnSignal,
): { ended: Promise<'stopped' | 'left'> } {
  const { promise: ended, resolve } = Promise.withResolvers<'stopped' | 'left'>()
  let isStopping = false
  const stop = (): void => {
    if (isStopping) again()
    isStopping = true
    resolve('stopped')
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  process.on('SIGUSR2', () => resolve('left'))
  process.on('SIGHUP', () => {
    // The window has been closed: who began there is gone, and nobody would know of us any more.
    if (!isTty || isatty(1)) reload()
    else if (!isStopping) stop()
  })
  return { ended }
}
