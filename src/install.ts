/** What must stand before anything runs: the data folder, the store with a policy, the category index. */
import { join } from 'node:path'
import { loadCatalogue } from './categories/catalogue.ts'
import type { Config } from './config.ts'
import { hasCode } from './errors.ts'
import { installLists, type InstallLists } from './install-lists.ts'
import { refuseForeignFolder } from './install-owner.ts'
import { refuseEmptied } from './last-state/emptied.ts'
import type { Catalogue } from './policy/category.ts'
import { DEFAULT_POLICY } from './policy/default-policy.ts'
import { CURRENT, type Change } from './policy/document.ts'
import { parsePolicy } from './policy/policy-document.ts'
import { openStore } from './store/open-store.ts'
import type { CommitNote, Store } from './store/store.ts'

export interface Installed {
  readonly store: Store
  readonly catalogue: Catalogue
}

export const accessLogDir = (config: Config): string => join(config.dataDir, 'access-log')

export type InstallOptions = Pick<InstallLists, 'onProgress' | 'mayLoseLists'>

/** Opens the store, checked, and completes it: safe to run again, and from two processes or machines at once. */
export async function install(
  config: Config,
  clock: () => number,
  options: InstallOptions = {},
): Promise<Installed> {
  await refuseForeignFolder(config.dataDir)
  const store = await openStore(config, { check: true })
  try {
    const catalogue = loadCatalogue()
    await installPolicy(store, catalogue, config, clock())
    await installLists({ store, catalogue, config, now: clock(), ...options })
    return { store, catalogue }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Installs what is missing, runs a command on it, and closes the store whatever happens. */
export async function withInstalled<T>(
  config: Config,
  run: (installed: Installed) => Promise<T>,
  options: InstallOptions = {},
): Promise<T> {
  const installed = await install(config, Date.now, options)
  try {
    return await run(installed)
  } finally {
    await installed.store.close()
  }
}

async function installPolicy(
  store: Store,
  catalogue: Catalogue,
  config: Config,
  at: number,
): Promise<void> {
  if (await store.get('policy', CURRENT)) return
  await refuseEmptied(config, catalogue, at)
  const body = parsePolicy(DEFAULT_POLICY, catalogue)
  const change: Change = { kind: 'policy', id: CURRENT, expects: 'absent', body }
  await commitUnlessDone(store, { action: 'policy.default' }, change, at)
}

/** A conflict means that another process did the same at the same time: its work serves as well. */
async function commitUnlessDone(
  store: Store,
  note: Pick<CommitNote, 'action' | 'detail'>,
  change: Change,
  at: number,
): Promise<void> {
  try {
    await store.commit({ by: 'system', at, ...note }, [change])
  } catch (error) {
    if (!hasCode(error, 'PREAU_CONFLICT')) throw error
  }
}
