/** The one-time link that creates the first account. It is dead as soon as an account exists. */
import { PreauError } from '../errors.ts'
import type { User } from '../policy/account.ts'
import { CURRENT, type Change } from '../policy/document.ts'
import type { Store, Stored } from '../store/store.ts'
import { makeUser, userId } from './accounts.ts'
import { createToken, hashToken, isSameToken } from './token.ts'

/** Makes a link, in place of any earlier one; undefined when there is an account already. `now`: epoch ms. */
export async function createSetupLink(
  store: Store,
  now: number,
): Promise<{ token: string } | undefined> {
  if ((await store.count('user')) > 0) return undefined
  const token = createToken()
  await store.commit({ by: 'system', action: 'setup.link', at: now }, [
    { kind: 'setup', id: CURRENT, body: { tokenHash: hashToken(token), at: now } },
  ])
  return { token }
}

/** The link that a token opens. Throws PREAU_SETUP_DEAD. */
export async function findSetupLink(store: Store, token: string): Promise<Stored<'setup'>> {
  const link = await store.get('setup', CURRENT)
  const isAlive =
    link !== undefined &&
    isSameToken(hashToken(token), link.body.tokenHash) &&
    (await store.count('user')) === 0
  if (!isAlive) throw new PreauError('PREAU_SETUP_DEAD')
  return link
}

export interface FirstAccount {
  readonly token: string
  readonly name: string
  readonly password: string
  readonly now: number
}

/** Creates the first account and spends the link, in one commit. Throws PREAU_SETUP_DEAD, PREAU_USER_NAME or PREAU_PASSWORD_LENGTH. */
export async function spendSetupLink(store: Store, wanted: FirstAccount): Promise<User> {
  const { token, name, password, now } = wanted
  const link = await findSetupLink(store, token)
  const user = await makeUser({ name, password, role: 'dsi', by: name, now })
  const changes: Change[] = [
    { kind: 'setup', id: CURRENT, expects: link.version, body: null },
    { kind: 'user', id: userId(user.name), expects: 'absent', body: user },
  ]
  const detail = { role: user.role, setup: true }
  try {
    const note = { by: user.name, action: 'user.add', subject: user.name, detail, at: now }
    await store.commit(note, changes)
  } catch (error) {
    if (error instanceof PreauError && error.code === 'PREAU_CONFLICT') {
      throw new PreauError('PREAU_SETUP_DEAD', {}, { cause: error })
    }
    throw error
  }
  return user
}
