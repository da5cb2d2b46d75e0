/** `preau user add | passwd`. The password is asked for on a terminal, or is the first line of standard input. */
import { addUser, setPassword } from '../admin/accounts.ts'
import type { Config } from '../config.ts'
import { PreauError } from '../errors.ts'
import { withInstalled } from '../install.ts'
import { MIN_PASSWORD, ROLES, type Role } from '../policy/account.ts'
import type { Store } from '../store/store.ts'
import { readSecret } from './secret.ts'
import type { Terminal } from './terminal.ts'

export async function userAdd(
  config: Config,
  terminal: Terminal,
  name: string,
  roleText: string,
): Promise<void> {
  const { t, print } = terminal
  const role = ROLES.find(known => known === roleText)
  if (role === undefined)
    throw new PreauError('PREAU_USAGE', { detail: t('badRole', { role: roleText }) })
  await withPassword(config, terminal, name, async (store, password) => {
    await addUser(store, { name, password, role, by: 'cli', now: Date.now() })
    print(t('user.added', { name, role: role satisfies Role }))
  })
}

export async function userPasswd(config: Config, terminal: Terminal, name: string): Promise<void> {
  await withPassword(config, terminal, name, async (store, password) => {
    await setPassword(store, { name, password, by: 'cli', now: Date.now() })
    terminal.print(terminal.t('user.changed', { name }))
  })
}

async function withPassword(
  config: Config,
  terminal: Terminal,
  name: string,
  run: (store: Store, password: string) => Promise<void>,
): Promise<void> {
  await withInstalled(config, async ({ store }) => run(store, await readPassword(name, terminal)))
}

function readPassword(name: string, terminal: Terminal): Promise<string> {
  const { t } = terminal
  return readSecret([t('user.password', { name, min: MIN_PASSWORD }), t('user.repeat')], terminal)
}
