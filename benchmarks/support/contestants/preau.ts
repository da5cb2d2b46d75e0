/** Préau with everything on: the whole product, one worker, the lists loaded, access log, client look-up, metrics. */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../../src/config.ts'
import { install } from '../../../src/install.ts'
import { SNAPSHOT } from '../full-size-archive.ts'
import { freePort } from '../../../test/support/free-port.ts'
import { launch, untilListening } from '../processes.ts'
import { NAME, ready, scratch, type Contestant } from './contestant.ts'

const CLI = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url))
const MANY = 1_000_000_000

/** A folder with a configuration and lists, ready to be started. */
export interface Home {
  readonly dir: string
  readonly config: string
  readonly port: number
  readonly adminPort: number
  /** Which lists are in force. */
  readonly lists: string
}

/** Bounds stay on, since they cost, but out of reach: here the whole city has eight addresses. */
export const MEASURED_LIMITS = {
  connections: MANY,
  connectionsPerClient: MANY,
  exchangesPerMinute: MANY,
  leafCertificatesPerMinute: MANY,
}

/**
 * `change`: what stands in the configuration beside what is measured everywhere. `isFull`: with the lists of UT1, where
 * their snapshot is there.
 */
export async function makeHome(change: object = {}, { isFull = true } = {}): Promise<Home> {
  const dir = scratch()
  const [port, adminPort] = [await freePort(), await freePort()]
  const config = join(dir, 'config.json')
  const content = {
    dataDir: 'data',
    proxy: { port, connectPorts: [443, '1024-65535'] },
    admin: { port: adminPort },
    dial: { hosts: { [NAME]: '127.0.0.1' } },
    limits: MEASURED_LIMITS,
    ...change,
  }
  writeFileSync(config, JSON.stringify(content))
  return { dir, config, port, adminPort, lists: await fillLists(config, isFull) }
}

async function fillLists(config: string, isFull: boolean): Promise<string> {
  const { store } = await install(loadConfig(config), Date.now)
  await store.close()
  if (!isFull || !existsSync(SNAPSHOT)) return 'starter lists'
  const args = [
    CLI,
    'lists',
    'import',
    fileURLToPath(SNAPSHOT),
    '--name',
    'ut1',
    '--config',
    config,
  ]
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  return 'UT1 snapshot'
}

/** Starts what was made; resolves when it serves. */
export async function startHome({
  dir,
  config,
  adminPort,
}: Pick<Home, 'dir' | 'config' | 'adminPort'>): Promise<ChildProcess> {
  const child = launch(process.execPath, [CLI, 'start', '--config', config], dir)
  await untilListening(adminPort, child)
  return child
}

/** Also answers where its authority's certificate is. */
export async function startPreau(): Promise<Contestant & { readonly caPem: string }> {
  const { dir, config, port, adminPort, lists } = await makeHome()
  const child = await startHome({ dir, config, adminPort })
  const { version } = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  ) as { version: string }
  const contestant = await ready({
    name: `Préau, ${lists}`,
    version,
    port,
    child,
    dir,
    host: NAME,
  })
  return { ...contestant, caPem: readFileSync(join(dir, 'data/ca/ca.pem'), 'utf8') }
}
